//! The ways in which a call can fail without an answer, and the errors they become.

use std::borrow::Cow;
use std::sync::Arc;

use super::route::UpstreamRoute;
use crate::error::{Error, ErrorCode, UpstreamDetail};

/// The reason why there is no answer. `Clone`, because a shared call fails for all its callers.
#[derive(Clone, Debug)]
pub enum Failure {
    /// No connection could be made: nothing was sent.
    Unreachable(Arc<str>),
    /// The call exceeded its time limit.
    Timeout {
        /// Whether the upstream may have received the request.
        sent: bool,
    },
    /// The connection was closed before the answer was complete.
    ConnectionLost(Arc<str>),
    /// The answer exceeds the call's length limit or is not valid HTTP.
    Malformed(Arc<str>),
    /// The circuit of the route is open: nothing was sent.
    CircuitOpen,
    /// The operation has used up its calls: nothing was sent.
    CallLimit {
        /// Whether the calls of one tenant are used up, or those of the whole operation.
        of_tenant: bool,
        /// The number of calls allowed.
        limit: u64,
    },
    /// Too many calls wait, or the upstream asked for a pause beyond the deadline: nothing was
    /// sent.
    QueueFull,
    /// There was no memory for the answer; it was not read to its end.
    NoRoom {
        /// Whether there may be room later. If not, the answer, alone or with the other answers of
        /// its operation, is larger than one share of the memory.
        ever: bool,
    },
    /// The tenant has used up its share of the rate of a credential that it shares with other
    /// tenants: nothing was sent.
    OverShare,
    /// The call cannot be encoded as HTTP, or its path would leave the base URL: nothing was sent.
    InvalidRequest(Arc<str>),
    /// The deadline of the operation, or of the tenant's part of it, passed before the call was
    /// sent or, for a read, answered.
    Deadline,
}

impl Failure {
    /// The error for the caller. After a write that may have reached the upstream it says that the
    /// outcome is unknown.
    pub fn into_error(self, route: &UpstreamRoute, wrote: bool) -> Error {
        let lost = matches!(
            self,
            Self::Timeout { sent: true }
                | Self::ConnectionLost(_)
                | Self::Malformed(_)
                | Self::NoRoom { .. }
        );
        let unknown = wrote && lost;
        let detail = UpstreamDetail { system: route.endpoint.system, status: None, code: None };
        let error = self.described().of_upstream(detail).of_tenant(route.tenant);
        if unknown { error.with_unknown_outcome() } else { error }
    }

    /// The technical cause, for the operator: it may contain text of the upstream.
    pub(super) fn cause(&self) -> Option<&str> {
        match self {
            Self::Unreachable(cause)
            | Self::ConnectionLost(cause)
            | Self::Malformed(cause)
            | Self::InvalidRequest(cause) => Some(cause),
            _ => None,
        }
    }

    /// The error without the names of upstream and tenant.
    fn described(self) -> Error {
        let error = Error::new(self.code(), self.message());
        match self.cause() {
            Some(cause) => error.because(cause.to_owned()),
            None => error,
        }
    }

    /// The message for the caller: it repeats no text of the upstream.
    fn message(&self) -> Cow<'static, str> {
        let message = match self {
            Self::Unreachable(_) => "the legacy system cannot be reached",
            Self::Timeout { .. } => "the legacy system did not answer in time",
            Self::ConnectionLost(_) => {
                "the legacy system closed the connection before its response was complete"
            }
            Self::Malformed(_) => "the legacy system returned a response that cannot be parsed",
            Self::CircuitOpen => {
                "the legacy system is not called for a while because it failed repeatedly: try \
                 again later"
            }
            Self::QueueFull => {
                "the legacy system cannot take more calls at the moment: try again later"
            }
            Self::NoRoom { ever: true } => {
                "responses of this installation currently use its owner's whole share of memory: \
                 try again later"
            }
            Self::NoRoom { ever: false } => {
                "the responses of the legacy system need more memory than one operation may use: \
                 request less data per operation"
            }
            Self::OverShare => {
                "this tenant has used its share of the credential's calls per minute: try again \
                 later"
            }
            Self::CallLimit { of_tenant, limit } => return too_many_calls(*of_tenant, *limit),
            Self::Deadline => "the deadline for this tenant's part of the operation has passed",
            Self::InvalidRequest(_) => "the request to the legacy system is invalid",
        };
        message.into()
    }

    /// The error code.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Unreachable(_) | Self::ConnectionLost(_) | Self::QueueFull => {
                ErrorCode::UpstreamUnavailable
            }
            Self::Timeout { .. } => ErrorCode::UpstreamTimeout,
            Self::Malformed(_) => ErrorCode::UpstreamMalformed,
            Self::CircuitOpen => ErrorCode::CircuitOpen,
            Self::CallLimit { .. } => ErrorCode::UpstreamBudgetExceeded,
            Self::Deadline => ErrorCode::DeadlineExceeded,
            Self::NoRoom { ever: true } | Self::OverShare => ErrorCode::RateLimited,
            Self::NoRoom { ever: false } => ErrorCode::OperationTooCostly,
            Self::InvalidRequest(_) => ErrorCode::InternalServerError,
        }
    }

    /// Whether the cause lies in the operation that made the call, so that another operation
    /// waiting for the same read should try itself.
    pub(super) fn is_own(&self) -> bool {
        matches!(
            self,
            Self::CallLimit { .. } | Self::Deadline | Self::QueueFull | Self::NoRoom { .. }
        )
    }
}

fn too_many_calls(of_tenant: bool, limit: u64) -> Cow<'static, str> {
    let scope = if of_tenant { "for one tenant" } else { "in total" };
    format!(
        "the operation needs more than {limit} calls to legacy systems {scope}: request less at \
         once"
    )
    .into()
}
