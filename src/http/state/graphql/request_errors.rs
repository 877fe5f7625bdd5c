//! Errors of a request: their codes, and whether a retry may succeed.

use async_graphql::ServerError;

use crate::error::{Error, ErrorCode};

/// Why a request is rejected before anything of it is executed (GraphQL, section 7.1.2).
#[derive(Debug)]
pub struct RequestErrors(pub Vec<ServerError>);

impl From<ServerError> for RequestErrors {
    fn from(error: ServerError) -> Self {
        Self(vec![error])
    }
}

/// A request error: it has no path.
pub fn request_error(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    error
}

/// A request error with the code and the public message of a gateway error, whose cause is logged.
pub fn request_error_of(error: &Error) -> ServerError {
    error.log_cause();
    let mut public = request_error(error.code(), error.message());
    public.extensions.get_or_insert_default().set("retryable", error.retryable());
    public
}

/// Sets the code of an error.
pub fn set_code(error: &mut ServerError, code: ErrorCode) {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code.as_str());
    extensions.set("retryable", code.retryable());
}

/// The code of an error, if it is a gateway error.
pub fn code_of(error: &ServerError) -> Option<ErrorCode> {
    match error.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(code) => ErrorCode::given(code),
        _ => None,
    }
}
