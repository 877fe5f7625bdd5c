//! How a tenant's line to an installation is doing.

use crate::clock::Timestamp;
use crate::error::ErrorCode;

/// The state of a circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Circuit {
    /// Calls go through.
    #[default]
    Closed,
    /// Calls are refused at once.
    Open,
    /// One call is let through to see.
    HalfOpen,
}

/// What this node knows of a tenant's line to an installation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the last call got an answer; `None` before the first.
    pub reachable: Option<bool>,
    /// When a call last succeeded.
    pub last_success_at: Option<Timestamp>,
    /// The error code of the last call, if it failed.
    pub last_error: Option<ErrorCode>,
    /// The circuit breaker.
    pub circuit: Circuit,
}

impl Status {
    /// There was an answer. One that says that the call was wrong is as good as any.
    pub(super) fn answered(&mut self, http_status: u16, now: Timestamp) {
        self.reachable = Some(true);
        self.last_error = match http_status {
            401 => Some(ErrorCode::UpstreamUnauthorized),
            429 | 500.. => Some(ErrorCode::UpstreamUnavailable),
            _ => None,
        };
        if self.last_error.is_none() {
            self.last_success_at = Some(now);
        }
    }

    /// There was none, or none that can be understood.
    pub(super) fn failed(&mut self, answered: bool, code: ErrorCode) {
        self.reachable = Some(answered);
        self.last_error = Some(code);
    }
}
