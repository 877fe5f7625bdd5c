//! The background job that follows tasks after their callers were answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, Span};

use super::model::Phase;
use super::record::TaskRecord;
use super::service::{ClaimedTask, Tasks};
use super::session::{MissCounters, TaskSession, background_scope};
use crate::auth::Authorizer;
use crate::error::Result;
use crate::integration_server::client::Client;
use crate::outbound::{Operation, Outbound};
use crate::telemetry::{SPANS, id_attribute, within};
use crate::upstreams::Upstreams;

/// How often a node renews its leases and claims tasks that other nodes have released.
const TICK_INTERVAL: Duration = Duration::from_secs(1);

/// How often a node deletes expired tasks and histories.
const CLEANUP_INTERVAL: Duration = Duration::from_hours(1);

/// How long one poll of a task may take.
const POLL_TIMEOUT: Duration = Duration::from_secs(30);

/// Follows the tasks of this node.
pub struct TaskPoller {
    /// The records of tasks.
    pub tasks: Arc<Tasks>,
    /// The connections to the servers.
    pub upstreams: Arc<Upstreams>,
    /// Sends the calls.
    pub outbound: Arc<Outbound>,
    /// Gives the scope for work that continues without its caller.
    pub authorizer: Arc<Authorizer>,
}

impl TaskPoller {
    /// Follows tasks until the gateway stops, then releases them to other nodes.
    pub async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut next_cleanup = Instant::now();
        while !*stopped.borrow() {
            self.tick().await.unwrap_or_else(|error| error.log_cause());
            if Instant::now() >= next_cleanup {
                next_cleanup += CLEANUP_INTERVAL;
                self.tasks.delete_expired().await.unwrap_or_else(|error| error.log_cause());
            }
            tokio::select! {
                _ = timeout(TICK_INTERVAL, self.tasks.wake.notified()) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }
        self.tasks.release_leases().await.unwrap_or_else(|error| error.log_cause());
    }

    async fn tick(self: &Arc<Self>) -> Result<()> {
        self.tasks.renew().await?;
        for claimed in self.tasks.claim_available().await? {
            let record = &claimed.record;
            let span =
                tracing::info_span!("task", task = %record.id, request_id = record.request_id);
            tokio::spawn(self.clone().follow(claimed).instrument(span));
        }
        Ok(())
    }

    /// Follows one task to its end, or until another node has taken its lease.
    async fn follow(self: Arc<Self>, claimed: ClaimedTask) {
        let mut record = claimed.record.clone();
        let mut pause = Duration::ZERO;
        let mut misses = MissCounters::default();
        loop {
            sleep(pause).await;
            if !self.tasks.holds_lease(record.id) {
                return;
            }
            let sequence = record.sequence;
            match within(poll_span(&record), self.poll_once(&record, &mut misses)).await {
                Ok(Some(after)) => record = after,
                Ok(None) => return,
                // Polled again: a failed poll says nothing about the task.
                Err(error) => error.log_cause(),
            }
            if record.has_ended() {
                return;
            }
            pause = self.next_pause(pause, record.sequence > sequence);
        }
    }

    /// The shortest pause after the first poll and after a change, else twice the last one.
    fn next_pause(&self, last: Duration, changed: bool) -> Duration {
        let settings = self.tasks.poll_settings;
        if changed || last.is_zero() {
            settings.poll_min
        } else {
            (last * 2).min(settings.poll_max)
        }
    }

    /// Polls once. `None`: another node works on the task.
    async fn poll_once(
        &self,
        record: &TaskRecord,
        misses: &mut MissCounters,
    ) -> Result<Option<TaskRecord>> {
        let scope = background_scope(&self.authorizer, record)?;
        if scope.now() >= record.deadline_at {
            return self.tasks.abandon(&scope, record).await;
        }
        let connection = self.upstreams.of_record(&scope, record.upstream_id).await?;
        let client = Client::new(self.outbound.clone(), &connection)?;
        let deadline = Instant::now() + POLL_TIMEOUT;
        let session = TaskSession {
            tasks: &self.tasks,
            authorizer: &self.authorizer,
            client: &client,
            operation: &Operation::background(record.request_id.clone(), deadline),
            record,
        };
        if record.phase == Phase::Known.as_str() {
            session.poll(misses).await
        } else {
            session.reconcile(misses).await
        }
    }
}

/// The span of one poll, which is a trace of its own: the task may outlive the operation that began
/// it by days.
fn poll_span(record: &TaskRecord) -> Span {
    tracing::info_span!(
        target: SPANS,
        parent: None,
        "poll task",
        otel.kind = "internal",
        tenant_gateway.task.id = %record.id,
        tenant_gateway.request.id = record.request_id,
        tenant_gateway.tenant.id = id_attribute(record.tenant_id),
    )
}
