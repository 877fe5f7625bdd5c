//! The codes of errors.

/// The closed list of `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The document is not GraphQL. Correct the document.
    GraphqlParseFailed,
    /// The document does not match the schema. Correct the document.
    GraphqlValidationFailed,
    /// An argument or a variable is invalid; the message names it. Correct the value.
    BadUserInput,
    /// The document has no operation of that name, or several and none was chosen. Name one.
    OperationResolutionFailure,
    /// The HTTP request itself is malformed. Correct the request.
    BadRequest,
    /// No valid access token. Get a new one.
    Unauthenticated,
    /// The caller may not do this here. Ask an administrator of the tenant.
    Forbidden,
    /// The object does not exist, or the caller may not know of it.
    NotFound,
    /// The present state does not allow it; the message names the conflict.
    Conflict,
    /// A client that is enabled keeps at least one secret or key. Rotate, disable or delete
    /// instead.
    LastSecret,
    /// Too many requests of this client or in this tenant. Wait as long as `Retry-After` says.
    RateLimited,
    /// The document asks for too much; the message names the limit, the value and the maximum. Ask
    /// for less at once.
    OperationTooCostly,
    /// The query took longer than an operation may. Ask for less at once, or again later.
    DeadlineExceeded,
    /// No document is known by that hash. Send the document with it.
    PersistedQueryNotFound,
    /// The tenant in context has no installation of that legacy system. Link it with `linkTenant`.
    UpstreamNotLinked,
    /// The legacy system cannot be reached or fails. Try again later; ask its operator if it lasts.
    UpstreamUnavailable,
    /// The legacy system did not answer in time. Try again later, or ask for less at once.
    UpstreamTimeout,
    /// The legacy system refused the request. Correct the request, or the state of the system.
    UpstreamRejected,
    /// The legacy system refused the gateway's own credentials. The operator of the upstream has to
    /// renew them.
    UpstreamUnauthorized,
    /// The legacy system sent a response that cannot be understood. Ask its operator.
    UpstreamMalformed,
    /// The operation needs more calls to legacy systems than one operation may make. Ask for less at
    /// once.
    UpstreamBudgetExceeded,
    /// The legacy system failed so often that calls are suspended for some seconds. Try again later.
    CircuitOpen,
    /// The gateway's own database cannot be reached, is busy, or takes no writes, or this node's
    /// clock is off. Try again after `Retry-After`, or ask another node.
    DatabaseUnavailable,
    /// The gateway failed; its log has the cause under the request id. Try again later.
    InternalServerError,
}

impl ErrorCode {
    /// All codes, in the order of the catalogue.
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
        }
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
            Self::InternalServerError => 500,
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
            | Self::UpstreamBudgetExceeded => false,
        }
    }
}
