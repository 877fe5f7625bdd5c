//! Answers that no resolver gave.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::Extension;
use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::rate_limit::RateLimitExceeded;
use crate::auth::RequestId;
use crate::error::{Error, ErrorCode};

/// The media type of every answer that is not GraphQL's own.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// `Retry-After` of an answer that the database is unavailable, in seconds: the gateway tries to
/// reach it twice a second.
pub const UNAVAILABLE_FOR: HeaderValue = HeaderValue::from_static("1");

/// An answer of JSON.
pub fn json_response(
    status: StatusCode,
    content_type: HeaderValue,
    body: &impl serde::Serialize,
) -> Response {
    // What is answered here is made of maps with text keys, which always can be written.
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A refusal of a GraphQL request before its document was looked at: the status says it, and so
/// does an `errors` body.
pub struct HttpError {
    error: Error,
    status: StatusCode,
    // Boxed: keeps every `Result` with this error small.
    headers: Box<HeaderMap>,
}

impl HttpError {
    /// Status 405, with what is allowed.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let mut refused =
            Self::with(StatusCode::METHOD_NOT_ALLOWED, "the method is not offered here");
        refused.headers.insert(ALLOW, HeaderValue::from_static(allow));
        refused
    }

    /// Status 405 for a mutation that came by GET.
    pub fn mutation_by_get() -> Self {
        let mut refused = Self::method_not_allowed("POST");
        refused.error =
            Error::new(ErrorCode::BadRequest, "a mutation cannot come by GET: send it by POST");
        refused
    }

    /// Status 415 for a compressed body, with what is taken (RFC 9110, section 15.5.16).
    pub fn encoded_body() -> Self {
        let message = "the body must not be compressed: send it without Content-Encoding";
        let mut refused = Self::with(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        refused.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        refused
    }

    /// A malformed request, with a status more exact than 400.
    pub fn with(status: StatusCode, message: &'static str) -> Self {
        Self { error: Error::new(ErrorCode::BadRequest, message), status, headers: Box::default() }
    }

    /// The error behind it.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The answer, in JSON of that media type.
    pub fn into_response(self, request_id: &RequestId, content_type: HeaderValue) -> Response {
        self.error.log_cause();
        let code = self.error.code();
        let extensions = json!({ "code": code.as_str(), "requestId": request_id.as_str(), "retryable": self.error.retryable() });
        let body =
            json!({ "errors": [{ "message": self.error.message(), "extensions": extensions }] });
        let mut response = json_response(self.status, content_type, &body);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().extend(*self.headers);
        response
    }
}

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.code().http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // What is wrong with a token only its holder learns: whoever has none, or a foreign one,
        // learns nothing of others.
        let challenge =
            error.token_problem().map(|problem| HeaderValue::from_static(problem.challenge()));
        let unauthorized = challenge.map(|challenge| (WWW_AUTHENTICATE, challenge));
        let unavailable = (error.code() == ErrorCode::DatabaseUnavailable)
            .then_some((RETRY_AFTER, UNAVAILABLE_FOR));
        Self {
            error,
            status,
            headers: Box::new(unauthorized.into_iter().chain(unavailable).collect()),
        }
    }
}

impl From<HttpError> for Error {
    fn from(refused: HttpError) -> Self {
        refused.error
    }
}

impl From<RateLimitExceeded> for HttpError {
    fn from(exceeded: RateLimitExceeded) -> Self {
        let error = Error::new(ErrorCode::RateLimited, exceeded.to_string());
        let mut refused = Self::from(error);
        // In whole seconds: what else the standard allows breaks callers
        // (`docs/reference/taegis-client-contract.md`, section 11).
        refused.headers.insert(RETRY_AFTER, HeaderValue::from(exceeded.retry_after));
        exceeded.quotas().write(&mut refused.headers);
        refused
    }
}

/// A request that HTTP itself does not allow.
pub fn bad_request(message: &str, id: Option<&RequestId>) -> Response {
    let body = json!({ "error": "bad_request", "message": message, "requestId": id.map(RequestId::as_str) });
    json_response(StatusCode::BAD_REQUEST, JSON, &body)
}

/// A path that is not there.
pub async fn no_such_path(uri: Uri, id: Option<Extension<RequestId>>) -> Response {
    let path = uri.path().trim_end_matches('/');
    let message = match path {
        "/playground" => "the playground is off: the setting playground.enabled turns it on",
        "" => "nothing is served here; the GraphQL endpoint is /graphql",
        path if path.ends_with("/graphql") => "the GraphQL endpoint is /graphql",
        path if path.ends_with("/token") => "the token endpoint is /oauth2/token",
        _ => "no such path",
    };
    let id = id.map(|Extension(id)| id.as_str().to_owned());
    let body: Value = json!({ "error": "not_found", "message": message, "requestId": id });
    json_response(StatusCode::NOT_FOUND, JSON, &body)
}

/// Waits for an answer. A fault of ours is answered too, and the process goes on.
pub async fn or_panicked(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(panicked)
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(cause = text.unwrap_or("unknown"), "a request panicked");
    let error = Error::internal("panic");
    let extensions =
        json!({ "code": error.code().as_str(), "retryable": error.code().retryable() });
    let body = json!({ "errors": [{ "message": error.message(), "extensions": extensions }] });
    json_response(StatusCode::INTERNAL_SERVER_ERROR, JSON, &body)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_fault_of_ours_is_answered_and_says_nothing_of_why() {
        let answer = or_panicked(async { panic!("the word is xyzzy") }).await;
        assert_eq!(answer.status(), 500);
        let body = to_bytes(answer.into_body(), 1024).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("INTERNAL") && !text.contains("xyzzy"), "{text}");
        assert_eq!(or_panicked(async { Response::new(Body::from("sound")) }).await.status(), 200);
    }
}
