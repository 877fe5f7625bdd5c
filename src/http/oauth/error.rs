//! Error responses of the OAuth endpoints (RFC 6749, section 5.2).

use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::error::{Error, ErrorCode};
use crate::http::json_reply::{DATABASE_RETRY_AFTER, JSON, json_response};
use crate::telemetry::record_error;

/// Why a request is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OauthError {
    /// The request is malformed, as the description says.
    InvalidRequest(&'static str),
    /// The body is compressed.
    EncodedBody,
    /// The client cannot be authenticated, for whatever reason.
    InvalidClient,
    /// The token to revoke was issued to another client (RFC 7009, section 2.1).
    InvalidGrant,
    /// The grant type is unknown.
    UnsupportedGrantType,
    /// The device code is unknown, was used, or is another program's (RFC 8628, section 3.5).
    InvalidDeviceCode,
    /// Nobody has decided about the device code yet.
    AuthorizationPending,
    /// As before, and the program has to wait longer between polls.
    SlowDown,
    /// The device code has ended.
    ExpiredToken,
    /// The person has denied, or has lost what they approved.
    AccessDenied,
    /// Too many device codes or held requests of one network; retry after so many seconds.
    TooManyDeviceCodes(u64),
    /// A scope is unknown or exceeds what the client was granted.
    InvalidScope,
    /// The tenant is unknown, disabled or not accessible to the client (RFC 8707, section 2).
    InvalidTarget,
    /// Too many failed authentications; retry after so many seconds.
    TooManyFailures(u64),
    /// Too many requests of the client; retry after so many seconds.
    TooManyRequests(u64),
    /// The database is unavailable, or the clock of this node is wrong.
    Unavailable,
    /// An internal error.
    ServerError,
}

impl OauthError {
    /// Logs an internal error; the client learns only whether a retry may succeed.
    pub fn internal(error: &Error) -> Self {
        error.log_cause();
        if error.code() == ErrorCode::DatabaseUnavailable {
            return Self::Unavailable;
        }
        Self::ServerError
    }

    /// The value of `error` in the response.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::EncodedBody => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant | Self::InvalidDeviceCode => "invalid_grant",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            // The code by which client libraries know that a retry may succeed.
            Self::TooManyFailures(_)
            | Self::TooManyRequests(_)
            | Self::TooManyDeviceCodes(_)
            | Self::Unavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(description) => description,
            Self::EncodedBody => {
                "compressed bodies are not supported; send the body without Content-Encoding"
            }
            Self::InvalidClient => {
                "client authentication failed: unknown client, invalid credentials, or none"
            }
            Self::InvalidGrant => "the token was issued to another client",
            Self::InvalidDeviceCode => {
                "the device code is unknown, was used already, or was issued to another program"
            }
            Self::AuthorizationPending => "nobody has approved or denied the request yet",
            Self::SlowDown => {
                "the program polls too often; wait 5 seconds longer before each further request"
            }
            Self::ExpiredToken => "the device code has expired; start again with a new one",
            Self::AccessDenied => "the request was denied",
            Self::TooManyDeviceCodes(_) => {
                "too many device codes of this address; retry after the time in Retry-After"
            }
            Self::UnsupportedGrantType => {
                "unsupported grant_type; expected client_credentials or \
                 urn:ietf:params:oauth:grant-type:device_code"
            }
            Self::InvalidScope => {
                "the requested scope is unknown or exceeds the roles of the client"
            }
            Self::InvalidTarget => {
                "the requested tenant is unknown, disabled, or not accessible to the client"
            }
            Self::TooManyFailures(_) => {
                "too many failed client authentications; retry after the time in Retry-After"
            }
            Self::TooManyRequests(_) => {
                "too many requests of this client; retry after the time in Retry-After"
            }
            Self::Unavailable => {
                "the service is temporarily unavailable; retry after the time in Retry-After"
            }
            Self::ServerError => "internal server error",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest(_)
            | Self::InvalidGrant
            | Self::InvalidDeviceCode
            | Self::AuthorizationPending
            | Self::SlowDown
            | Self::ExpiredToken
            | Self::AccessDenied
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::InvalidTarget => StatusCode::BAD_REQUEST,
            Self::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::TooManyFailures(_) | Self::TooManyRequests(_) | Self::TooManyDeviceCodes(_) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error response.
    pub fn into_response(self) -> Response {
        record_error(self.code());
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
            Self::TooManyFailures(seconds)
            | Self::TooManyRequests(seconds)
            | Self::TooManyDeviceCodes(seconds) => {
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            Self::Unavailable => {
                response.headers_mut().insert(RETRY_AFTER, DATABASE_RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}

/// Status 405 for any method but POST.
pub fn method_not_allowed() -> Response {
    let description = "the request method must be POST";
    let body = json!({ "error": "invalid_request", "error_description": description });
    let mut response = json_response(StatusCode::METHOD_NOT_ALLOWED, JSON, &body);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    no_store(response)
}

/// Forbids caches to store a response (RFC 6749, section 5.1).
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
