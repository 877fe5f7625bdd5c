//! The error codes of the gateway as an enum of the graph.

use async_graphql::Enum;
use async_graphql::resolver_utils::EnumType;

/// An error code of the gateway, as in `extensions.code` of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "ErrorCode")]
pub enum GraphErrorCode {
    /// The document is not valid GraphQL syntax.
    GraphqlParseFailed,
    /// The document does not match the schema.
    GraphqlValidationFailed,
    /// An argument or variable is not acceptable.
    BadUserInput,
    /// The document has no operation of that name, or several and no name was given.
    OperationResolutionFailure,
    /// The HTTP request is malformed.
    BadRequest,
    /// The access token is missing or not valid.
    Unauthenticated,
    /// The caller lacks the permission.
    Forbidden,
    /// The object does not exist, or the caller cannot see it.
    NotFound,
    /// The state of the object does not permit the operation.
    Conflict,
    /// An enabled client must keep at least one secret or key.
    LastSecret,
    /// The client or the tenant sent too many requests.
    RateLimited,
    /// The operation exceeds a limit.
    OperationTooCostly,
    /// The query took longer than permitted.
    DeadlineExceeded,
    /// No document is known by this hash.
    PersistedQueryNotFound,
    /// The tenant is not linked to the legacy system.
    UpstreamNotLinked,
    /// The legacy system cannot be reached or reports a server error.
    UpstreamUnavailable,
    /// The legacy system did not respond in time.
    UpstreamTimeout,
    /// The legacy system refused the request.
    UpstreamRejected,
    /// The legacy system refused the gateway's credential.
    UpstreamUnauthorized,
    /// The response of the legacy system cannot be understood.
    UpstreamMalformed,
    /// The operation needs more calls of legacy systems than permitted.
    UpstreamBudgetExceeded,
    /// The circuit breaker is open: the legacy system failed repeatedly.
    CircuitOpen,
    /// The gateway's database is not available.
    DatabaseUnavailable,
    /// The gateway failed unexpectedly.
    InternalServerError,
    /// A code that this version of the gateway does not know; the field with the text has it.
    Unknown,
}

impl GraphErrorCode {
    /// The code of that text.
    pub fn read(text: &str) -> Self {
        let known = Self::items().iter().find(|item| item.name == text);
        known.map_or(Self::Unknown, |item| item.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn every_error_code_has_its_value_in_the_graph() {
        for code in ErrorCode::ALL {
            assert_ne!(GraphErrorCode::read(code.as_str()), GraphErrorCode::Unknown, "{code:?}");
        }
        assert_eq!(GraphErrorCode::items().len(), ErrorCode::ALL.len() + 1);
        assert_eq!(GraphErrorCode::read("OF_A_LATER_VERSION"), GraphErrorCode::Unknown);
    }
}
