//! One task together with everything that a call about it needs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::model::{CreatedObject, Intent, Purpose, Snapshot};
use super::reconcile::{Match, Reconciler};
use super::record::TaskRecord;
use super::service::{TaskEnd, Tasks};
use crate::auth::{Authorizer, RequestId, TenantScope};
use crate::error::{Error, Result};
use crate::integration_server::client::{CallErrorKind, Client};
use crate::integration_server::model::{RemoteId, Task, TaskOutcome, TaskState};
use crate::outbound::Operation;
use crate::upstreams::{LinkCheck, NewLink};

/// The poller gives up a task whose answer was lost after this many reconciliations without a
/// match.
const UNMATCHED_MAX: u32 = 60;

/// A task counts as gone after this many NOT_FOUND responses in a row.
const NOT_FOUND_MAX: u32 = 3;

/// The first pause between two reconciliations while a caller waits; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A task, its server and the operation that the calls belong to.
#[derive(Clone, Copy)]
pub struct TaskSession<'a> {
    /// The records of tasks.
    pub tasks: &'a Tasks,
    /// Gives the scope for work that continues without its caller.
    pub authorizer: &'a Arc<Authorizer>,
    /// Calls the server that runs the task.
    pub client: &'a Client,
    /// Counts the calls.
    pub operation: &'a Operation,
    /// The record as this node last read or wrote it.
    pub record: &'a TaskRecord,
}

/// Attempts without success since the last success.
#[derive(Default)]
pub struct MissCounters {
    unmatched: u32,
    not_found: u32,
}

impl<'a> TaskSession<'a> {
    /// The same session with a newer version of the record.
    #[must_use]
    pub fn with(self, record: &'a TaskRecord) -> Self {
        Self { record, ..self }
    }

    /// Asks the server for a task whose identifier is known, and stores the answer.
    ///
    /// # Errors
    /// If the server or the database cannot be asked. `None`: another node works on the task.
    pub async fn poll(&self, misses: &mut MissCounters) -> Result<Option<TaskRecord>> {
        let last = self.record.last_snapshot()?;
        let id = last.as_ref().and_then(|last| RemoteId::read(&last.id));
        let id = id.ok_or_else(|| Error::internal("a known task has no identifier"))?;
        match self.client.task(self.operation, &id).await {
            Ok(task) => {
                misses.not_found = 0;
                self.observe(&task).await
            }
            Err(error) if error.kind() != CallErrorKind::TaskNotFound => Err(error.into()),
            Err(_) if misses.not_found + 1 >= NOT_FOUND_MAX => self.resolve_missing(&id).await,
            Err(error) => {
                misses.not_found += 1;
                Err(error.into())
            }
        }
    }

    /// Ends a task that the server has forgotten: as completed if its effect can be found, else in
    /// its last known state.
    async fn resolve_missing(&self, id: &RemoteId) -> Result<Option<TaskRecord>> {
        match self.reconciler().find_match().await? {
            Match::Done(made) => self.end(Snapshot::completed(id.as_str(), *made)).await,
            Match::Found(task) => {
                let snapshot = self.snapshot_of(&task).await?;
                self.end(Snapshot { id: id.as_str().to_owned(), ..snapshot }).await
            }
            Match::Ambiguous | Match::NotFound => self.abandon().await,
        }
    }

    /// Stores a task as the server reports it, and ends the record if the task has ended.
    ///
    /// # Errors
    /// If the server or the database cannot be asked. `None`: another node works on the task.
    pub async fn observe(&self, task: &Task) -> Result<Option<TaskRecord>> {
        let snapshot = self.snapshot_of(task).await?;
        if snapshot.has_ended() {
            self.end(snapshot).await
        } else {
            self.tasks.record_observation(self.record, &snapshot).await
        }
    }

    /// Looks once for a task whose answer was lost.
    ///
    /// # Errors
    /// If the server or the database cannot be asked. `None`: another node works on the task.
    pub async fn reconcile(&self, misses: &mut MissCounters) -> Result<Option<TaskRecord>> {
        match self.reconciler().find_match().await? {
            Match::Found(task) => self.observe(&task).await,
            // The server may list the task itself a moment after its effect shows.
            Match::Done(made) if misses.unmatched > 0 => {
                self.end(Snapshot::completed(&self.record.id.to_string(), *made)).await
            }
            Match::NotFound if misses.unmatched + 1 >= UNMATCHED_MAX => self.abandon().await,
            Match::Done(_) | Match::NotFound => {
                misses.unmatched += 1;
                Ok(Some(self.record.clone()))
            }
            Match::Ambiguous => Ok(Some(self.record.clone())),
        }
    }

    /// Looks for a task whose answer was lost until `timeout` has passed, while its caller waits.
    /// `None`: nothing matches yet; the poller continues to look.
    pub async fn reconcile_within(&self, timeout: Duration) -> Option<TaskRecord> {
        let mut misses = MissCounters::default();
        let mut pause = FIRST_PAUSE;
        let until = Instant::now() + timeout;
        loop {
            // A failure counts as no match: a server that lost an answer may lose the next too.
            let found = self.reconcile(&mut misses).await.unwrap_or_default();
            let found = found.filter(|found| found.sequence > self.record.sequence);
            if found.is_some() || Instant::now() + pause >= until {
                return found;
            }
            sleep(pause).await;
            pause *= 2;
        }
    }

    /// The snapshot of a task, with the object that a completed task created.
    ///
    /// # Errors
    /// If the server has to be asked for the object and cannot be.
    pub async fn snapshot_of(&self, task: &Task) -> Result<Snapshot> {
        let mut snapshot = Snapshot::from_task(task);
        if task.state == TaskState::Completed {
            snapshot.result = self.created_object(task).await?;
        }
        Ok(snapshot)
    }

    async fn created_object(&self, task: &Task) -> Result<Option<CreatedObject>> {
        let purpose = self.record.purpose()?;
        let reported = CreatedObject::reported(purpose, task.outcome.as_ref());
        match purpose {
            // Servers report a removed tenant in several ways, or not at all.
            Purpose::Delete => {
                Ok(Intent::from_json(&self.record.intent)?.before.map(CreatedObject::Tenant))
            }
            Purpose::Create => self.created_tenant(task, reported).await,
            Purpose::Activate | Purpose::Deactivate | Purpose::Report => Ok(reported),
        }
    }

    /// The new tenant as it is at the server now; as the task reports it if it is gone again.
    async fn created_tenant(
        &self,
        task: &Task,
        reported: Option<CreatedObject>,
    ) -> Result<Option<CreatedObject>> {
        let id = match &task.outcome {
            Some(TaskOutcome::Tenant(tenant)) => &tenant.id,
            Some(TaskOutcome::Id(id)) => id,
            _ => return Ok(None),
        };
        match self.client.tenant(self.operation, id).await {
            Ok(tenant) => Ok(Some(CreatedObject::Tenant((&tenant).into()))),
            Err(error) if error.kind() == CallErrorKind::TenantNotFound => Ok(reported),
            Err(error) => Err(error.into()),
        }
    }

    async fn end(&self, snapshot: Snapshot) -> Result<Option<TaskRecord>> {
        let link = self.link(&snapshot)?;
        let end = TaskEnd { snapshot: Some(snapshot), link, ..TaskEnd::default() };
        self.tasks.end(&background_scope(self.authorizer, self.record)?, self.record, end).await
    }

    async fn abandon(&self) -> Result<Option<TaskRecord>> {
        self.tasks.abandon(&background_scope(self.authorizer, self.record)?, self.record).await
    }

    /// The link that the caller asked for, once the task has created a tenant.
    fn link(&self, snapshot: &Snapshot) -> Result<Option<NewLink>> {
        let is_tenant = matches!(snapshot.result, Some(CreatedObject::Tenant(_)));
        let creates = self.record.purpose()? == Purpose::Create;
        match (self.record.link_tenant_id, snapshot.result_id()) {
            (Some(tenant), Some(remote)) if is_tenant && creates => {
                let upstream = self.record.upstream_id;
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

    fn reconciler(&self) -> Reconciler<'_> {
        Reconciler {
            tasks: self.tasks,
            client: self.client,
            operation: self.operation,
            record: self.record,
        }
    }
}

/// The scope of a task that continues without its caller.
///
/// # Errors
/// If the record has no valid request id.
pub fn background_scope(authorizer: &Arc<Authorizer>, record: &TaskRecord) -> Result<TenantScope> {
    let request = RequestId::parse(&record.request_id);
    let request = request.ok_or_else(|| Error::internal("a task record has no request id"))?;
    Ok(TenantScope::background(authorizer, record.tenant_id, request))
}
