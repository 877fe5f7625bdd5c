//! Going on with tasks that callers began, when nobody waits for them any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use super::model::{CreatedObject, Phase, Purpose, Snapshot, TaskRecord};
use super::reconcile::{Match, Reconciler, snapshot_of};
use super::service::{EndReason, TaskEnd};
use super::{ClaimedTask, Tasks};
use crate::auth::{Authorizer, RequestId, TenantScope};
use crate::error::{Error, Result};
use crate::integration_server::client::{CallErrorKind, Client};
use crate::integration_server::model::{RemoteId, Task};
use crate::outbound::{Operation, Outbound};
use crate::upstreams::{LinkCheck, NewLink, Upstreams};

/// How often leases are renewed and tasks taken that other nodes left.
const TICK_INTERVAL: Duration = Duration::from_secs(1);

/// How often what is too old is forgotten.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The time of one look at a task.
const POLL_TIMEOUT: Duration = Duration::from_secs(30);

/// After how many unmatched that saw nothing a task is given up whose answer was lost.
const UNMATCHED_MAX: u32 = 60;

/// After how many answers in a row that there is no such task that is believed.
const NOT_FOUND_MAX: u32 = 3;

/// Goes on with tasks on this node.
pub struct TaskPoller {
    /// The records.
    pub tasks: Arc<Tasks>,
    /// The ways to the servers.
    pub upstreams: Arc<Upstreams>,
    /// The way out.
    pub outbound: Arc<Outbound>,
    /// What gives the scope of work that goes on.
    pub authorizer: Arc<Authorizer>,
}

/// What was in misses, one time after another.
#[derive(Default)]
struct MissCounters {
    unmatched: u32,
    not_found: u32,
}

impl TaskPoller {
    /// Goes on until the gateway stops, then leaves the tasks to other nodes.
    pub async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut next_cleanup = Instant::now();
        while !*stopped.borrow() {
            if let Err(error) = self.tick().await {
                error.log_cause();
            }
            if Instant::now() >= next_cleanup {
                next_cleanup += CLEANUP_INTERVAL;
                self.tasks.delete_expired().await.unwrap_or_else(|error| error.log_cause());
            }
            tokio::select! {
                _ = timeout(TICK_INTERVAL, self.tasks.wake.notified()) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }
        if let Err(error) = self.tasks.release_leases().await {
            error.log_cause();
        }
    }

    async fn tick(self: &Arc<Self>) -> Result<()> {
        self.tasks.renew().await?;
        for begun in self.tasks.claim_available().await? {
            let span = tracing::info_span!("task", task = %begun.record.id, request_id = begun.record.request_id);
            tokio::spawn(self.clone().follow(begun).instrument(span));
        }
        Ok(())
    }

    /// Follows one task to its end, as long as it is this node's.
    async fn follow(self: Arc<Self>, begun: ClaimedTask) {
        let mut record = begun.record.clone();
        let mut pause = Duration::ZERO;
        let mut misses = MissCounters::default();
        loop {
            sleep(pause).await;
            if !self.tasks.holds_lease(record.id) {
                return;
            }
            let sequence = record.sequence;
            match self.poll_once(&record, &mut misses).await {
                Ok(Some(after)) => record = after,
                Ok(None) => return,
                // Tried again: an end of waiting is not an end of the task.
                Err(error) => error.log_cause(),
            }
            if record.phase == Phase::Ended.as_str() {
                return;
            }
            let poll_settings = self.tasks.poll_settings;
            let changed = record.sequence > sequence;
            pause = if changed || pause.is_zero() {
                poll_settings.poll_min
            } else {
                (pause * 2).min(poll_settings.poll_max)
            };
        }
    }

    /// One look. `None`: another node goes on with it.
    async fn poll_once(
        &self,
        record: &TaskRecord,
        misses: &mut MissCounters,
    ) -> Result<Option<TaskRecord>> {
        let scope = self.scope(record)?;
        if scope.now() >= record.deadline_at {
            return self.abandon(record).await;
        }
        let connection = self.upstreams.of_record(&scope, record.upstream_id).await?;
        let client = Client::new(self.outbound.clone(), &connection)?;
        let operation =
            Operation::background(record.request_id.clone(), Instant::now() + POLL_TIMEOUT);
        if record.phase == Phase::Known.as_str() {
            self.poll_known(record, &client, &operation, misses).await
        } else {
            self.reconcile(record, &client, &operation, misses).await
        }
    }

    async fn poll_known(
        &self,
        record: &TaskRecord,
        client: &Client,
        operation: &Operation,
        misses: &mut MissCounters,
    ) -> Result<Option<TaskRecord>> {
        let seen = record.snapshot.as_deref().map(Snapshot::read).transpose()?;
        let id = seen.as_ref().and_then(|seen| RemoteId::read(&seen.id));
        let id = id.ok_or_else(|| Error::internal("a known task was never seen"))?;
        match client.task(operation, &id).await {
            Ok(task) => {
                misses.not_found = 0;
                self.observe(record, client, operation, &task).await
            }
            Err(error)
                if error.kind() == CallErrorKind::TaskNotFound
                    && misses.not_found + 1 >= NOT_FOUND_MAX =>
            {
                self.handle_unknown(record, client, operation, &id).await
            }
            Err(error) => {
                if error.kind() == CallErrorKind::TaskNotFound {
                    misses.not_found += 1;
                }
                Err(error.into())
            }
        }
    }

    /// The server has forgotten the task: whether it has done its work is to be seen, or else it
    /// stays as it was seen last.
    async fn handle_unknown(
        &self,
        record: &TaskRecord,
        client: &Client,
        operation: &Operation,
        id: &RemoteId,
    ) -> Result<Option<TaskRecord>> {
        match (Reconciler { tasks: &self.tasks, client, operation, record }).find_match().await? {
            Match::Done(made) => self.end(record, Snapshot::done(id.as_str(), *made)).await,
            Match::Found(task) => {
                let snapshot = snapshot_of(client, operation, record, &task).await?;
                self.end(record, Snapshot { id: id.as_str().to_owned(), ..snapshot }).await
            }
            Match::Ambiguous | Match::NotFound => self.abandon(record).await,
        }
    }

    /// Stores a task as the server tells of it, and ends what has ended.
    ///
    /// # Errors
    /// If the server or the database cannot be asked. `None`: another node goes on with it.
    pub async fn observe(
        &self,
        record: &TaskRecord,
        client: &Client,
        operation: &Operation,
        task: &Task,
    ) -> Result<Option<TaskRecord>> {
        let snapshot = snapshot_of(client, operation, record, task).await?;
        if !snapshot.has_ended() {
            return self.tasks.record_observation(record, &snapshot).await;
        }
        self.end(record, snapshot).await
    }

    async fn end(&self, record: &TaskRecord, snapshot: Snapshot) -> Result<Option<TaskRecord>> {
        let link = self.link(record, &snapshot)?;
        let scope = self.scope(record)?;
        let end = TaskEnd { snapshot: Some(snapshot), link, ..TaskEnd::default() };
        self.tasks.end(&scope, record, end).await
    }

    /// Ends a task with its state as it is.
    async fn abandon(&self, record: &TaskRecord) -> Result<Option<TaskRecord>> {
        let end = TaskEnd { reason: EndReason::Abandoned, ..TaskEnd::default() };
        self.tasks.end(&self.scope(record)?, record, end).await
    }

    fn link(&self, record: &TaskRecord, snapshot: &Snapshot) -> Result<Option<NewLink>> {
        let made =
            snapshot.result.as_ref().is_some_and(|made| matches!(made, CreatedObject::Tenant(_)));
        match (record.link_tenant_id, snapshot.result_id()) {
            (Some(tenant), Some(remote)) if made && Purpose::of(record)? == Purpose::Create => {
                let upstream = record.upstream_id;
                Ok(Some(NewLink {
                    tenant,
                    upstream,
                    remote_tenant_id: Some(remote),
                    check: LinkCheck::Verified,
                }))
            }
            _ => Ok(None),
        }
    }

    async fn reconcile(
        &self,
        record: &TaskRecord,
        client: &Client,
        operation: &Operation,
        misses: &mut MissCounters,
    ) -> Result<Option<TaskRecord>> {
        match (Reconciler { tasks: &self.tasks, client, operation, record }).find_match().await? {
            Match::Found(task) => self.observe(record, client, operation, &task).await,
            // Its own task may be about to be listed.
            Match::Done(made) if misses.unmatched > 0 => {
                self.end(record, Snapshot::done(&record.id.to_string(), *made)).await
            }
            Match::NotFound if misses.unmatched + 1 >= UNMATCHED_MAX => self.abandon(record).await,
            Match::Done(_) | Match::NotFound => {
                misses.unmatched += 1;
                Ok(Some(record.clone()))
            }
            Match::Ambiguous => Ok(Some(record.clone())),
        }
    }

    /// Looks for a task whose answer was lost, for some seconds. `None`: nothing of it is to be
    /// seen yet, and it is looked for further when nobody waits.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn reconcile_within(
        &self,
        record: &TaskRecord,
        client: &Client,
        operation: &Operation,
        timeout: Duration,
    ) -> Result<Option<TaskRecord>> {
        let mut misses = MissCounters::default();
        let (until, mut pause) = (Instant::now() + timeout, Duration::from_millis(100));
        loop {
            // A server that lost an answer may not be able to give others either.
            if let Ok(found) = self.reconcile(record, client, operation, &mut misses).await {
                let found = found.filter(|found| found.sequence > record.sequence);
                if found.is_some() {
                    return Ok(found);
                }
            }
            if Instant::now() + pause >= until {
                return Ok(None);
            }
            sleep(pause).await;
            pause *= 2;
        }
    }

    fn scope(&self, record: &TaskRecord) -> Result<TenantScope> {
        let request = RequestId::parse(&record.request_id);
        let request = request.ok_or_else(|| Error::internal("a record without request id"))?;
        Ok(TenantScope::background(&self.authorizer, record.tenant_id, request))
    }
}
