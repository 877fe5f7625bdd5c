//! How a call can fail without an answer, and what that means for the caller.

use std::sync::Arc;

use super::route::UpstreamRoute;
use crate::error::{Error, ErrorCode, UpstreamDetail};

/// Why there is no answer. It can be cloned, since one call may fail for several callers.
#[derive(Clone, Debug)]
pub enum Failure {
    /// No connection: nothing was sent.
    Unreachable(Arc<str>),
    /// The time of the call was over.
    Timeout {
        /// Whether the far side may have the request.
        sent: bool,
    },
    /// The connection ended before the answer was whole.
    ConnectionLost(Arc<str>),
    /// The answer is longer than the call allows, or no HTTP.
    Malformed(Arc<str>),
    /// The circuit of this tenant and installation is open: nothing was sent.
    CircuitOpen,
    /// The operation has spent its calls: nothing was sent.
    Budget {
        /// Whose calls: those of one tenant, or of the whole operation.
        of_tenant: bool,
        /// How many it may make.
        limit: u64,
    },
    /// More calls wait than can be made in time, or the far side wants to be left alone longer than
    /// that: nothing was sent.
    QueueFull,
    /// The answer found no room in the node's memory, and was not read to its end.
    NoRoom {
        /// Whether there may ever be room: the answer alone, or with what its operation holds, is
        /// larger than a share.
        ever: bool,
    },
    /// The tenant has used its share of the calls that the credential allows, which it has in
    /// common with others: nothing was sent.
    OverShare,
    /// What was asked for cannot be written as HTTP, or would lead out of the installation: nothing
    /// was sent.
    InvalidRequest(Arc<str>),
    /// The operation's time, or the tenant's part of it, was over before the call could be sent or,
    /// if it is a read, answered.
    Deadline,
}

impl Failure {
    /// The error for the caller. After a write that may have reached the far side it says that the
    /// outcome is not known.
    pub fn into_error(self, route: &UpstreamRoute, wrote: bool) -> Error {
        let lost = matches!(
            self,
            Self::Timeout { sent: true }
                | Self::ConnectionLost(_)
                | Self::Malformed(_)
                | Self::NoRoom { .. }
        );
        let unknown = wrote && lost;
        let error = match self {
            Self::Unreachable(cause) => {
                Self::told(ErrorCode::UpstreamUnavailable, "cannot be reached", Some(cause))
            }
            Self::Timeout { .. } => {
                Self::told(ErrorCode::UpstreamTimeout, "did not answer in time", None)
            }
            Self::ConnectionLost(cause) => {
                Self::told(ErrorCode::UpstreamUnavailable, "broke off its answer", Some(cause))
            }
            Self::Malformed(cause) => Self::told(
                ErrorCode::UpstreamMalformed,
                "gave an answer that cannot be understood",
                Some(cause),
            ),
            Self::CircuitOpen => Self::told(
                ErrorCode::CircuitOpen,
                "failed too often and is left alone for a while",
                None,
            ),
            Self::QueueFull => {
                Self::told(ErrorCode::UpstreamUnavailable, "takes no more calls for now", None)
            }
            Self::NoRoom { ever: true } => {
                let message = "answers of this installation take its owner's share of the gateway's memory: try again";
                Error::new(ErrorCode::RateLimited, message)
            }
            Self::NoRoom { ever: false } => {
                let message = "the answers of the legacy system take more memory than one operation may: ask for less at once";
                Error::new(ErrorCode::OperationTooCostly, message)
            }
            Self::OverShare => {
                let message = "this tenant has used its share of the calls a minute that one credential allows: try again";
                Error::new(ErrorCode::RateLimited, message)
            }
            Self::InvalidRequest(cause) => {
                Error::internal(format!("a call cannot be sent: {cause}"))
            }
            Self::Budget { of_tenant, limit } => {
                let whose = if of_tenant { "one tenant" } else { "one operation" };
                let message =
                    format!("all {limit} calls of legacy systems that {whose} may cost are used");
                Error::new(ErrorCode::UpstreamBudgetExceeded, message)
            }
            Self::Deadline => Error::new(
                ErrorCode::DeadlineExceeded,
                "the time for this tenant's part of the operation was over",
            ),
        };
        let detail = UpstreamDetail { system: route.endpoint.system, status: None, code: None };
        let error = error.of_upstream(detail).of_tenant(route.tenant);
        if unknown { error.with_unknown_outcome() } else { error }
    }

    /// The code of the error.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Unreachable(_) | Self::ConnectionLost(_) | Self::QueueFull => {
                ErrorCode::UpstreamUnavailable
            }
            Self::Timeout { .. } => ErrorCode::UpstreamTimeout,
            Self::Malformed(_) => ErrorCode::UpstreamMalformed,
            Self::CircuitOpen => ErrorCode::CircuitOpen,
            Self::Budget { .. } => ErrorCode::UpstreamBudgetExceeded,
            Self::Deadline => ErrorCode::DeadlineExceeded,
            Self::NoRoom { ever: true } | Self::OverShare => ErrorCode::RateLimited,
            Self::NoRoom { ever: false } => ErrorCode::OperationTooCostly,
            Self::InvalidRequest(_) => ErrorCode::InternalServerError,
        }
    }

    /// Whether it comes of the operation that made the call, so that another, who waits for the
    /// same, may have more luck.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Budget { .. } | Self::Deadline | Self::QueueFull | Self::NoRoom { .. })
    }

    fn told(code: ErrorCode, what: &str, cause: Option<Arc<str>>) -> Error {
        let error = Error::new(code, format!("the legacy system {what}"));
        match cause {
            Some(cause) => error.because(cause.to_string()),
            None => error,
        }
    }
}
