//! Sending.

use super::call::{Answer, Call};
use super::failure::Failure;
use super::line::Line;
use super::operation::Operation;
use super::status::Status;
use crate::ids::{TenantId, UpstreamId};

/// How calls are made.
#[derive(Clone, Debug)]
pub struct Settings {}

/// The way out. One for each process.
pub struct Outbound {}

impl Outbound {
    /// A way out by these settings.
    pub fn new(settings: Settings) -> Self {
        let _ = settings;
        Self {}
    }

    /// Sends a call: within the operation's budget and time, the line's circuit, concurrency and rate; reads are repeated when they fail
    /// in a way that may pass, and shared with others who ask the same on the same line; writes are sent once.
    ///
    /// # Errors
    /// [`Failure`]: no answer. An answer of any status is an answer.
    pub async fn send(&self, operation: &Operation, line: &Line, call: Call) -> Result<Answer, Failure> {
        let _ = (operation, line, call);
        Err(Failure::CircuitOpen)
    }

    /// How a tenant's line to an installation is doing, as this node saw it.
    pub fn status(&self, tenant: TenantId, upstream: UpstreamId) -> Status {
        let _ = (tenant, upstream);
        Status::default()
    }

    /// Forgets what was remembered of a tenant at an installation: to be called after every write there.
    pub fn forget(&self, tenant: TenantId, upstream: UpstreamId) {
        let _ = (tenant, upstream);
    }
}
