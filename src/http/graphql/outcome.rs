//! What every answer has in common, whatever carries it: codes, the request's id, a bounded list of
//! errors.

use async_graphql::{Response as GraphqlResponse, ServerError};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::auth::RequestId;
use crate::error::{Error, ErrorCode};

/// Why a request is refused before anything of it is executed (GraphQL, section 7.1.2).
#[derive(Debug)]
pub struct RequestErrors(pub Vec<ServerError>);

impl From<ServerError> for RequestErrors {
    fn from(error: ServerError) -> Self {
        Self(vec![error])
    }
}

/// An error of the request as a whole.
pub fn failure(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut failed = ServerError::new(message, None);
    set_code(&mut failed, code);
    failed
}

/// The same of an error of ours, whose cause the log will have.
pub fn failure_of(error: &Error) -> ServerError {
    error.log_cause();
    let mut failed = failure(error.code(), error.message());
    failed.extensions.get_or_insert_default().set("retryable", error.retryable());
    failed
}

/// Sets the code of an error.
pub fn set_code(error: &mut ServerError, code: ErrorCode) {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code.as_str());
    extensions.set("retryable", code.retryable());
}

/// The code of an error, if it has one of ours.
pub fn code_of(error: &ServerError) -> Option<ErrorCode> {
    match error.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(code) => {
            ErrorCode::ALL.into_iter().find(|known| known.as_str() == code)
        }
        _ => None,
    }
}

/// Gives every error its code and the request id, logs the causes that the caller does not see, and
/// keeps at most `errors_max` of them.
pub fn finish(
    request_id: &RequestId,
    errors_max: usize,
    mut outcome: GraphqlResponse,
) -> GraphqlResponse {
    for error in &mut outcome.errors {
        if let Some(own) = error.source::<Error>() {
            own.log_cause();
        }
        if code_of(error).is_none() {
            // Only the library's own errors come without a code: those of values that do not fit
            // their type.
            set_code(error, ErrorCode::BadUserInput);
        }
        if let Some(extensions) = &mut error.extensions {
            extensions.set("requestId", request_id.as_str());
        }
    }
    let omitted = outcome.errors.len().saturating_sub(errors_max);
    if omitted > 0 {
        outcome.errors.truncate(errors_max);
        outcome.extensions.insert("errorsOmitted".to_owned(), omitted.into());
    }
    outcome
}

/// Whether the request was refused before anything of it was executed.
pub fn not_executed(outcome: &GraphqlResponse) -> bool {
    !outcome.errors.is_empty() && outcome.errors.iter().all(|error| error.path.is_empty())
}

/// An outcome as it is written: without `data` where nothing was executed (GraphQL, section 7.1).
pub struct Written<'a>(pub &'a GraphqlResponse);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !not_executed(self.0) {
            map.serialize_entry("data", &self.0.data)?;
        }
        if !self.0.errors.is_empty() {
            map.serialize_entry("errors", &self.0.errors)?;
        }
        if !self.0.extensions.is_empty() {
            map.serialize_entry("extensions", &self.0.extensions)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_beyond_the_limit_are_counted_and_left_out() {
        let errors = vec![failure_of(&Error::not_found("value")); 5_000];
        let told =
            finish(&RequestId::parse("x").unwrap(), 20, GraphqlResponse::from_errors(errors));
        assert_eq!((told.errors.len(), &told.extensions["errorsOmitted"]), (20, &4_980.into()));
    }
}
