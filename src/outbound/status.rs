//! How a tenant's line to an installation is doing.

use crate::clock::Timestamp;

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
    pub last_error: Option<crate::error::ErrorCode>,
    /// The circuit breaker.
    pub circuit: Circuit,
}
