//! Errors, classified by what a caller can do about them.
//!
//! The public message and the internal cause are separate: the message goes to the caller, the cause
//! to the log, once, at the edge, beside the request id.

mod code;
mod extensions;
mod token_problem;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::ids::TenantId;

pub use code::ErrorCode;
pub use extensions::{RequestErrors, code_of, request_error, request_error_of, set_code};
pub use token_problem::TokenProblem;

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

    /// `UNAUTHENTICATED`, with the same message for every cause; the challenge names the problem of
    /// a token.
    pub fn unauthenticated(token: TokenProblem) -> Self {
        let message =
            "a valid access token is required: send the header `Authorization: Bearer TOKEN`";
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
