//! GraphQL requests that are rejected before their document is looked at.

use axum::http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::json_reply::{DATABASE_RETRY_AFTER, json_response};
use super::state::rate_limit::RateLimitExceeded;
use crate::auth::RequestId;
use crate::error::{Error, ErrorCode};

/// A rejected request: the status and an `errors` body tell why.
pub struct HttpError {
    error: Error,
    status: StatusCode,
    // Boxed: keeps every `Result` with this error small.
    headers: Box<HeaderMap>,
}

impl HttpError {
    /// A malformed request, with a status more specific than 400.
    pub fn with(status: StatusCode, message: &'static str) -> Self {
        Self { error: Error::new(ErrorCode::BadRequest, message), status, headers: Box::default() }
    }

    /// Status 405, with the methods that are allowed.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let message = "this endpoint does not support the request method";
        let mut error = Self::with(StatusCode::METHOD_NOT_ALLOWED, message);
        error.headers.insert(ALLOW, HeaderValue::from_static(allow));
        error
    }

    /// Status 405 for a mutation sent by GET.
    pub fn mutation_by_get() -> Self {
        let mut rejection = Self::method_not_allowed("POST");
        let message = "mutations are not allowed over GET; send a POST request";
        rejection.error = Error::new(ErrorCode::BadRequest, message);
        rejection
    }

    /// Status 415 for a compressed body, with the accepted coding (RFC 9110, section 15.5.16).
    pub fn encoded_body() -> Self {
        let message = "compressed bodies are not supported; send the body without Content-Encoding";
        let mut error = Self::with(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        error.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        error
    }

    /// The error that is reported.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The response, in JSON of that media type.
    pub fn into_response(self, request_id: &RequestId, content_type: HeaderValue) -> Response {
        self.error.log_cause();
        let extensions = json!({
            "code": self.error.code().as_str(),
            "requestId": request_id.as_str(),
            "retryable": self.error.retryable(),
        });
        let error = json!({ "message": self.error.message(), "extensions": extensions });
        let body = json!({ "errors": [error] });
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
        let mut headers = Box::<HeaderMap>::default();
        // Only the holder of a token issued by this gateway learns why it is refused.
        if let Some(problem) = error.token_problem() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(problem.challenge()));
        }
        if error.code() == ErrorCode::DatabaseUnavailable {
            headers.insert(RETRY_AFTER, DATABASE_RETRY_AFTER);
        }
        Self { error, status, headers }
    }
}

impl From<HttpError> for Error {
    fn from(rejection: HttpError) -> Self {
        rejection.error
    }
}

impl From<RateLimitExceeded> for HttpError {
    fn from(exceeded: RateLimitExceeded) -> Self {
        let mut rejection = Self::from(Error::new(ErrorCode::RateLimited, exceeded.to_string()));
        // In whole seconds: the other form that RFC 9110 allows, a date, breaks clients
        // (`docs/reference/taegis-client-contract.md`, section 11).
        rejection.headers.insert(RETRY_AFTER, HeaderValue::from(exceeded.retry_after));
        exceeded.quotas().write(&mut rejection.headers);
        rejection
    }
}
