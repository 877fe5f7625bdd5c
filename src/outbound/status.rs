//! How a tenant's route to an installation is doing.

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

/// What this node knows of a tenant's route to an installation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the last call got an answer of the system's API; `None` before the first.
    pub reachable: Option<bool>,
    /// When a call last succeeded.
    pub last_success_at: Option<Timestamp>,
    /// The error code of the last call, if it failed.
    pub last_error: Option<ErrorCode>,
    /// The circuit breaker.
    pub circuit: Circuit,
    /// The success before the last one, in case the last answer turns out to be none.
    pub(super) success_before: Option<Timestamp>,
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
            self.success_before = self.last_success_at.replace(now);
        }
    }

    /// The last answer is not one of the system's API, whatever its HTTP status says: something
    /// else answers there.
    pub(super) fn malformed(&mut self) {
        if self.last_error.is_none() {
            self.last_success_at = self.success_before;
        }
        self.reachable = Some(false);
        self.last_error = Some(ErrorCode::UpstreamMalformed);
    }

    /// There was none, or none that can be understood.
    pub(super) fn failed(&mut self, answered: bool, code: ErrorCode) {
        self.reachable = Some(answered);
        self.last_error = Some(code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_answer_is_neither_reachable_nor_a_success() {
        let moment = Timestamp::from_millis;
        let mut status = Status::default();
        status.answered(200, moment(1));
        status.answered(200, moment(2));
        status.malformed();
        assert_eq!((status.reachable, status.last_success_at), (Some(false), Some(moment(1))));
        assert_eq!(status.last_error, Some(ErrorCode::UpstreamMalformed));
        status.malformed();
        assert_eq!(status.last_success_at, Some(moment(1)));
        status.answered(200, moment(3));
        assert_eq!((status.reachable, status.last_error), (Some(true), None));
    }
}
