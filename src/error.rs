//! Errors, classified by what a caller can do about them.
//!
//! The public message and the internal cause are separate: the message goes to the caller, the cause
//! to the log, once, at the edge, beside the request id.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Name, Value};

use crate::ids::TenantId;

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

/// The part of a legacy system in an error, without its text, its host or its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamDetail {
    /// The kind of system, as `LegacySystem` names it.
    pub system: &'static str,
    /// The HTTP status of its response, if there was one.
    pub status: Option<u16>,
    /// The vendor's own code, from a closed list.
    pub code: Option<&'static str>,
}

/// Why an access token was refused, in the detail that its holder may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenProblem {
    /// The request has no token.
    Missing,
    /// The token is malformed, or the request has two.
    Malformed,
    /// No key of this gateway signed it, or it is for another audience.
    Foreign,
    /// It is not valid yet.
    NotYetValid,
    /// It has expired.
    Expired,
    /// It was revoked, or its client or the client's tenant was disabled, deleted or rotated by
    /// force.
    Ended,
}

impl TokenProblem {
    /// The reason as log lines and audit records name it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Malformed => "token_malformed",
            Self::Foreign => "token_foreign",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Expired => "token_expired",
            Self::Ended => "token_ended",
        }
    }

    /// The challenge for `WWW-Authenticate`: without an error code if the request has no token
    /// (RFC 6750, section 3.1).
    pub const fn challenge(self) -> &'static str {
        match self {
            Self::Missing => r#"Bearer realm="tenant-gateway""#,
            Self::Malformed => {
                r#"Bearer realm="tenant-gateway", error="invalid_token", error_description="the token is malformed""#
            }
            Self::Foreign => concat!(
                r#"Bearer realm="tenant-gateway", error="invalid_token", "#,
                r#"error_description="the token was not issued by this gateway""#
            ),
            Self::NotYetValid => concat!(
                r#"Bearer realm="tenant-gateway", error="invalid_token", "#,
                r#"error_description="the token is not valid yet""#
            ),
            Self::Expired => {
                r#"Bearer realm="tenant-gateway", error="invalid_token", error_description="the token has expired""#
            }
            Self::Ended => concat!(
                r#"Bearer realm="tenant-gateway", error="invalid_token", "#,
                r#"error_description="the token was ended: it was revoked, or its client may no longer use it""#
            ),
        }
    }
}

/// An error with a code and a message for the caller, and a separate cause for the log. It can be
/// cloned, since one call may fail for several callers.
#[derive(Clone)]
pub struct Error {
    code: ErrorCode,
    message: Cow<'static, str>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
    upstream: Option<UpstreamDetail>,
    tenant: Option<TenantId>,
    outcome_unknown: bool,
    write_conflict: bool,
    token: Option<TokenProblem>,
    recorded: bool,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with its public message.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            cause: None,
            upstream: None,
            tenant: None,
            outcome_unknown: false,
            write_conflict: false,
            token: None,
            recorded: false,
        }
    }

    /// `BAD_USER_INPUT`: the message names the argument, then its requirement.
    pub fn bad_input(argument: &str, must: &str) -> Self {
        Self::new(ErrorCode::BadUserInput, format!("{argument}: {must}"))
    }

    /// `NOT_FOUND`, in the same words for foreign objects and for those that do not exist.
    pub fn not_found(what: &'static str) -> Self {
        Self::new(ErrorCode::NotFound, format!("no such {what}"))
    }

    /// `FORBIDDEN`, in the same words for a tenant that is foreign and for one that does not exist.
    pub fn tenant_forbidden() -> Self {
        Self::new(
            ErrorCode::Forbidden,
            "the tenant in context is unknown, disabled, or not open to this client; it is named \
            by its UUID",
        )
    }

    /// `FORBIDDEN`, with a message that names the missing right.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }

    /// `UNAUTHENTICATED`. The challenge names the problem of a token; the message only says how to
    /// send one where there is none.
    pub fn unauthenticated(token: TokenProblem) -> Self {
        let message = match token {
            TokenProblem::Missing => {
                "a valid access token is required: send the header `Authorization: Bearer TOKEN`"
            }
            _ => "a valid access token is required",
        };
        let error = Self::new(ErrorCode::Unauthenticated, message);
        Self { token: Some(token), ..error }
    }

    /// The problem of the token, if this is one.
    pub fn token_problem(&self) -> Option<TokenProblem> {
        self.token
    }

    /// `CONFLICT`, with a message that names the conflicting state.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Conflict, message)
    }

    /// `CONFLICT` between two transactions: nothing was written, and a retry may succeed at once.
    pub fn write_conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self { write_conflict: true, ..Self::new(ErrorCode::Conflict, message) }
    }

    /// `INTERNAL_SERVER_ERROR`: the cause is logged and never shown.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorCode::InternalServerError, "something failed on our side").because(cause)
    }

    /// The same error with a cause for the log.
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: Some(Arc::from(cause.into())), ..self }
    }

    /// The same error with the part of the legacy system in it: `extensions.upstream`.
    #[must_use]
    pub fn of_upstream(self, upstream: UpstreamDetail) -> Self {
        Self { upstream: Some(upstream), ..self }
    }

    /// The same error, attributed to one tenant: `extensions.tenantID`.
    #[must_use]
    pub fn of_tenant(self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self }
    }

    /// The same error for a write whose response was lost: it may have been done, and a blind retry
    /// could do it twice. `extensions.outcome` is `UNKNOWN`, and `retryable` is false whatever the
    /// code.
    #[must_use]
    pub fn with_unknown_outcome(self) -> Self {
        Self { outcome_unknown: true, ..self }
    }

    /// The same error for a preparatory write: the caller's own write was not begun.
    #[must_use]
    pub fn with_known_outcome(self) -> Self {
        Self { outcome_unknown: false, ..self }
    }

    /// The same error, marked as recorded in the audit log.
    #[must_use]
    pub fn as_recorded(self) -> Self {
        Self { recorded: true, ..self }
    }

    /// Whether the audit log has it already.
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// Whether the same request may succeed later, unchanged, without doing anything twice.
    pub fn retryable(&self) -> bool {
        (self.code.retryable() || self.write_conflict) && !self.outcome_unknown
    }

    /// Whether two transactions were in conflict.
    pub fn is_write_conflict(&self) -> bool {
        self.write_conflict
    }

    /// Whether the write may have been done.
    pub fn is_outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }

    /// The part of the legacy system in it.
    pub fn upstream(&self) -> Option<&UpstreamDetail> {
        self.upstream.as_ref()
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The cause if there is one, else the message: for the operator of the machine, never for a
    /// caller.
    pub fn explained(&self) -> String {
        self.cause.as_ref().map_or_else(|| self.message.to_string(), ToString::to_string)
    }

    /// Logs the cause, if there is one. The edge calls this once, in a span with the request id.
    pub fn log_cause(&self) {
        if let Some(cause) = &self.cause {
            let causes = std::iter::successors(Some(&**cause as &dyn std::error::Error), |cause| {
                cause.source()
            });
            let chain = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
            let code = self.code.as_str();
            match (self.code, self.code.http_status()) {
                (ErrorCode::InternalServerError | ErrorCode::DatabaseUnavailable, _) => {
                    tracing::error!(code, cause = chain, "request failed");
                }
                // A fault of another system, which the operator should know of.
                (_, 500..) => tracing::warn!(code, cause = chain, "request failed"),
                // A fault of the caller.
                _ => tracing::info!(code, cause = chain, "request failed"),
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cause_never_reaches_the_caller() {
        let public = async_graphql::Error::from(Error::internal("password=hunter2"));
        assert_eq!(public.message, "something failed on our side");
        assert!(!format!("{:?}", public.extensions).contains("hunter2"));
    }

    #[test]
    fn codes_are_distinct() {
        let names: std::collections::HashSet<_> =
            ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }
}
