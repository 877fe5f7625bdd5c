//! The health of a tenant's route to an installation.

use crate::clock::Timestamp;
use crate::error::ErrorCode;

/// The state of a circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Circuit {
    /// Calls are sent.
    #[default]
    Closed,
    /// Calls fail immediately.
    Open,
    /// One probe call is sent; its outcome closes or reopens the circuit.
    HalfOpen,
}

/// The health of a tenant's route to an installation, as this node observed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the system's API answered the last call; `None` before the first call.
    pub reachable: Option<bool>,
    /// When a call last succeeded.
    pub last_success_at: Option<Timestamp>,
    /// The error code of the last call if it failed.
    pub last_error: Option<ErrorCode>,
    /// The state of the circuit breaker.
    pub circuit: Circuit,
    /// The success before the last one, restored if the last answer turns out not to come from the
    /// API.
    pub(in crate::outbound) success_before: Option<Timestamp>,
}

impl Status {
    /// Records an answer. A client error (4xx) counts as success: the system works, and the call
    /// was wrong.
    pub(in crate::outbound) fn answered(&mut self, http_status: u16, now: Timestamp) {
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

    /// Records that the last answer did not come from the system's API, whatever its HTTP status:
    /// another server answers at this address.
    pub(in crate::outbound) fn malformed(&mut self) {
        if self.last_error.is_none() {
            self.last_success_at = self.success_before;
        }
        self.reachable = Some(false);
        self.last_error = Some(ErrorCode::UpstreamMalformed);
    }

    /// Records a call without an answer, or with one that could not be parsed.
    pub(in crate::outbound) fn failed(&mut self, answered: bool, code: ErrorCode) {
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
