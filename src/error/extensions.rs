//! Errors in responses of the graph: the public message, with the code and whether a retry may succeed
//! as extensions.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Name, ServerError, Value};

use super::{Error, ErrorCode, UpstreamDetail};

impl From<Error> for async_graphql::Error {
    /// Keeps the error as the source of its public half, so that the edge can log the cause.
    fn from(error: Error) -> Self {
        let mut public = Self::new(error.message.clone());
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code.as_str());
        extensions.set("retryable", error.retryable());
        if error.outcome_unknown {
            extensions.set("outcome", "UNKNOWN");
        }
        if let Some(tenant) = error.tenant {
            extensions.set("tenantID", tenant.to_string());
        }
        if let Some(UpstreamDetail { system, status, code }) = &error.upstream {
            let entries = [
                ("system", Value::from(*system)),
                ("status", (*status).into()),
                ("code", (*code).into()),
            ];
            let entries = entries.into_iter().map(|(key, value)| (Name::new(key), value));
            extensions.set("upstream", Value::Object(entries.collect()));
        }
        public.extensions = Some(extensions);
        public.source = Some(Arc::new(error));
        public
    }
}

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
        Value::String(code) => ErrorCode::given(code),
        _ => None,
    }
}
