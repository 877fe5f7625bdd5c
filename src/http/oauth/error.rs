//! The errors of RFC 6749, section 5.2, and what answers have in common.

use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::error::{Error, ErrorCode};
use crate::http::reply::{JSON, UNAVAILABLE_FOR, json_response};

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OauthError {
    /// The request itself is malformed; the sentence says how.
    InvalidRequest(&'static str),
    /// The body is compressed.
    EncodedBody,
    /// Whatever is wrong with the client or its credentials.
    InvalidClient,
    /// The token to be revoked is another client's (RFC 7009, section 2.1).
    InvalidGrant,
    /// Any grant but `client_credentials`.
    UnsupportedGrantType,
    /// A scope that is unknown, or more than the client has.
    InvalidScope,
    /// A tenant that is unknown, or closed to the client (RFC 8707, section 2).
    InvalidTarget,
    /// Too many failures before; heard again after so many seconds.
    TooManyFailures(u64),
    /// Too many requests of one client that each cost a write; taken again after so many seconds.
    TooManyRequests(u64),
    /// The gateway's database is unavailable, or this node's clock is off.
    Unavailable,
    /// A fault of ours.
    ServerError,
}

impl OauthError {
    /// Logs a fault of ours, of which the caller learns no more than whether another node may do
    /// better.
    pub fn ours(error: &Error) -> Self {
        error.log_cause();
        if error.code() == ErrorCode::DatabaseUnavailable {
            return Self::Unavailable;
        }
        Self::ServerError
    }

    /// The code, as the caller is told.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::EncodedBody => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            // The code that client libraries know for "not now".
            Self::TooManyFailures(_) | Self::TooManyRequests(_) | Self::Unavailable => {
                "temporarily_unavailable"
            }
            Self::ServerError => "server_error",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(description) => description,
            Self::EncodedBody => {
                "the body must not be compressed: send it without Content-Encoding"
            }
            Self::InvalidClient => "unknown client, wrong secret or assertion, or no credentials",
            Self::InvalidGrant => "the token was issued to another client",
            Self::UnsupportedGrantType => "the grant offered is client_credentials",
            Self::InvalidScope => "a scope is unknown, or the client has no role that permits it",
            Self::InvalidTarget => "the tenant is unknown, disabled, or not open to this client",
            Self::TooManyFailures(_) => {
                "too many failed authentications: wait as long as Retry-After says"
            }
            Self::TooManyRequests(_) => {
                "too many requests of this client: wait as long as Retry-After says"
            }
            Self::Unavailable => {
                "this node cannot serve now: try again after Retry-After, or ask another node"
            }
            Self::ServerError => "something failed on our side",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest(_)
            | Self::InvalidGrant
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::InvalidTarget => StatusCode::BAD_REQUEST,
            Self::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::TooManyFailures(_) | Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer.
    pub fn into_response(self) -> Response {
        let body = json!({ "error": self.code(), "error_description": self.description() });
        let mut response = no_store(json_response(self.status(), JSON, &body));
        match self {
            Self::InvalidClient => {
                let challenge =
                    HeaderValue::from_static(r#"Basic realm="tenant-gateway", charset="UTF-8""#);
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            Self::EncodedBody => {
                response
                    .headers_mut()
                    .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            Self::TooManyFailures(seconds) | Self::TooManyRequests(seconds) => {
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            Self::Unavailable => {
                response.headers_mut().insert(RETRY_AFTER, UNAVAILABLE_FOR);
            }
            _ => {}
        }
        response
    }
}

/// Status 405.
pub fn method_not_allowed() -> Response {
    let body =
        json!({ "error": "invalid_request", "error_description": "this endpoint takes POST" });
    let mut response = json_response(StatusCode::METHOD_NOT_ALLOWED, JSON, &body);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    no_store(response)
}

/// An answer that nobody may keep.
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
