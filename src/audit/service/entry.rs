//! The entries that callers of the room hand to the audit log.

use serde_json::Value;

use crate::auth::RequestId;
use crate::error::{Error, ErrorCode};
use crate::ids::TenantId;

/// A change to record.
#[derive(Clone)]
pub struct Entry {
    /// The name of the mutation.
    pub operation: &'static str,
    /// The tenant acted upon.
    pub tenant: TenantId,
    /// The id of the object acted upon.
    pub subject: String,
    /// The state before the change; `None` if it is new. Never a secret.
    pub before: Option<Value>,
    /// The state after the change; `None` if it is gone. Never a secret.
    pub after: Option<Value>,
}

/// A change that a client made at an endpoint outside the GraphQL API.
#[derive(Clone)]
pub struct EndpointChange {
    /// The UUID of the client.
    pub actor: String,
    /// The client's own tenant, in which the change happened.
    pub tenant: TenantId,
    /// The name of the endpoint.
    pub operation: &'static str,
    /// The id of the object acted upon.
    pub subject: String,
    /// The id of the request.
    pub request_id: RequestId,
}

/// An operation that was refused, or whose outcome is unknown.
pub struct Refusal {
    /// The actor.
    pub actor: String,
    /// The actor's own tenant, if known.
    pub acting_tenant: Option<TenantId>,
    /// The tenant of the operation.
    pub tenant: TenantId,
    /// The name of the mutation, query or endpoint.
    pub operation: String,
    /// The id of the object, if the rest of the record does not tell it.
    pub subject: Option<String>,
    /// [`Outcome::Refused`] or [`Outcome::Unknown`].
    pub outcome: Outcome,
    /// The error code of the response.
    pub code: &'static str,
    /// The reason that the response does not show.
    pub reason: Option<&'static str>,
    /// The number of refusals that the record counts.
    pub count: u64,
    /// The id of the request.
    pub request_id: RequestId,
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Succeeded,
    /// It was refused.
    Refused,
    /// The change began at a legacy system; a later record has its outcome.
    Begun,
    /// The response of a legacy system was lost: whether it succeeded is unknown.
    Unknown,
}

impl Outcome {
    /// The stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Refused => "REFUSED",
            Self::Begun => "BEGUN",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The outcome of an operation that failed with this error.
    pub fn of(error: &Error) -> Self {
        if error.is_outcome_unknown() { Self::Unknown } else { Self::Refused }
    }
}

/// The outcome of a change at a legacy system, with its cause.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The outcome.
    pub outcome: Outcome,
    /// The error code returned to the caller.
    pub code: Option<&'static str>,
    /// The reason, if the code does not tell it.
    pub reason: Option<&'static str>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, code: None, reason: None }
    }
}

/// Whether the log keeps refusals with this code: all but those of requests that were not executed.
pub fn is_recorded(code: ErrorCode) -> bool {
    !matches!(
        code,
        ErrorCode::GraphqlParseFailed | ErrorCode::GraphqlValidationFailed | ErrorCode::BadRequest
    )
}
