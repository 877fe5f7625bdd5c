//! The codes of errors.

use async_graphql::Enum;

/// An error code of the gateway, as in `extensions.code` of an error.
// The closed list of the codes; `docs/errors.md` says of each what a caller can do. The comments are
// the descriptions in the graph, where recorded errors have their code as an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum ErrorCode {
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

impl ErrorCode {
    /// All codes that this version gives, in the order of the catalogue: [`ErrorCode::Unknown`] is
    /// only read.
    pub const ALL: [Self; 24] = [
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::BadUserInput,
        Self::OperationResolutionFailure,
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::LastSecret,
        Self::RateLimited,
        Self::OperationTooCostly,
        Self::DeadlineExceeded,
        Self::PersistedQueryNotFound,
        Self::UpstreamNotLinked,
        Self::UpstreamUnavailable,
        Self::UpstreamTimeout,
        Self::UpstreamRejected,
        Self::UpstreamUnauthorized,
        Self::UpstreamMalformed,
        Self::UpstreamBudgetExceeded,
        Self::CircuitOpen,
        Self::DatabaseUnavailable,
        Self::InternalServerError,
    ];

    /// The code as in `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::BadRequest => "BAD_REQUEST",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::LastSecret => "LAST_SECRET",
            Self::RateLimited => "RATE_LIMITED",
            Self::OperationTooCostly => "OPERATION_TOO_COSTLY",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::UpstreamNotLinked => "UPSTREAM_NOT_LINKED",
            Self::UpstreamUnavailable => "UPSTREAM_UNAVAILABLE",
            Self::UpstreamTimeout => "UPSTREAM_TIMEOUT",
            Self::UpstreamRejected => "UPSTREAM_REJECTED",
            Self::UpstreamUnauthorized => "UPSTREAM_UNAUTHORIZED",
            Self::UpstreamMalformed => "UPSTREAM_MALFORMED",
            Self::UpstreamBudgetExceeded => "UPSTREAM_BUDGET_EXCEEDED",
            Self::CircuitOpen => "CIRCUIT_OPEN",
            Self::DatabaseUnavailable => "DATABASE_UNAVAILABLE",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The code with that text, if this version gives it.
    pub fn given(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The code with that text in a record, which a later version may have written.
    pub fn recorded(text: &str) -> Self {
        Self::given(text).unwrap_or(Self::Unknown)
    }

    /// The HTTP status of a request that was refused with this code before it was executed.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::GraphqlParseFailed
            | Self::GraphqlValidationFailed
            | Self::BadUserInput
            | Self::OperationResolutionFailure
            | Self::BadRequest
            | Self::OperationTooCostly
            | Self::PersistedQueryNotFound
            | Self::UpstreamBudgetExceeded => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound | Self::UpstreamNotLinked => 404,
            Self::Conflict | Self::LastSecret => 409,
            Self::RateLimited => 429,
            Self::InternalServerError | Self::Unknown => 500,
            Self::UpstreamUnavailable
            | Self::UpstreamRejected
            | Self::UpstreamUnauthorized
            | Self::UpstreamMalformed => 502,
            Self::CircuitOpen | Self::DatabaseUnavailable => 503,
            Self::DeadlineExceeded | Self::UpstreamTimeout => 504,
        }
    }

    /// Whether the same request may succeed later, unchanged.
    pub const fn retryable(self) -> bool {
        match self {
            Self::RateLimited
            | Self::DeadlineExceeded
            | Self::UpstreamUnavailable
            | Self::UpstreamTimeout
            | Self::CircuitOpen
            | Self::DatabaseUnavailable
            | Self::InternalServerError => true,
            Self::GraphqlParseFailed
            | Self::GraphqlValidationFailed
            | Self::BadUserInput
            | Self::OperationResolutionFailure
            | Self::BadRequest
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::Conflict
            | Self::LastSecret
            | Self::OperationTooCostly
            | Self::PersistedQueryNotFound
            | Self::UpstreamNotLinked
            | Self::UpstreamRejected
            | Self::UpstreamUnauthorized
            | Self::UpstreamMalformed
            | Self::UpstreamBudgetExceeded
            | Self::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::resolver_utils::EnumType;

    use super::*;

    #[test]
    fn every_code_has_its_name_in_the_graph() {
        for item in ErrorCode::items() {
            assert_eq!(item.name, item.value.as_str());
            assert_eq!(ErrorCode::recorded(item.name), item.value);
        }
        assert_eq!(ErrorCode::items().len(), ErrorCode::ALL.len() + 1);
    }

    #[test]
    fn code_of_a_later_version_is_unknown() {
        assert_eq!(ErrorCode::recorded("OF_A_LATER_VERSION"), ErrorCode::Unknown);
        assert_eq!(ErrorCode::given("UNKNOWN"), None);
    }
}
