//! Changes of a task. Each is one transaction with its entry in the history.

use std::sync::Arc;

use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, SqlErr};
use serde_json::json;

use super::Tasks;
use crate::audit::{self, Ended, Entry, Outcome};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::{Error, ErrorCode, Result};
use crate::integration_server::model::{RemoteId, TaskState};
use crate::integration_server::tasks::TaskRecord;
use crate::integration_server::tasks::entity::{event, task};
use crate::integration_server::tasks::model::{Phase, Snapshot, TaskErrorText};
use crate::upstreams::NewLink;

/// The most changes of one task that its history keeps.
const EVENTS_KEPT: i64 = 100;

/// Why a task ends. The audit log derives the outcome from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndReason {
    /// The server reports that it has ended.
    #[default]
    Observed,
    /// The server refused to begin it; the caller got this error code.
    Rejected(ErrorCode),
    /// The gateway stopped following it; its outcome is unknown.
    Abandoned,
}

/// How a task ends.
#[derive(Default)]
pub struct TaskEnd {
    /// Why.
    pub reason: EndReason,
    /// The last state that the server reported; `None` keeps the stored one.
    pub snapshot: Option<Snapshot>,
    /// The link to create in the same transaction.
    pub link: Option<NewLink>,
}

impl Tasks {
    /// Records that the answer to a task's call was lost or named no task.
    ///
    /// # Errors
    /// If the database fails. `None`: another node works on the task.
    pub async fn mark_answer_lost(&self, record: &TaskRecord) -> Result<Option<TaskRecord>> {
        let changed = TaskRecord { phase: Phase::Lost.as_str().to_owned(), ..record.clone() };
        self.store(record, changed, None, None).await
    }

    /// Records the reported state of a task. Writes nothing if it has not changed.
    ///
    /// # Errors
    /// `CONFLICT` if another record has this identifier, and if the database fails. `None`: another
    /// node works on the task.
    pub async fn record_observation(
        &self,
        record: &TaskRecord,
        snapshot: &Snapshot,
    ) -> Result<Option<TaskRecord>> {
        if record.snapshot.as_deref() == Some(&snapshot.to_json()?) {
            return Ok(Some(record.clone()));
        }
        let changed = TaskRecord { phase: Phase::Known.as_str().to_owned(), ..record.clone() };
        self.store(record, changed, Some(snapshot), None).await
    }

    /// Ends a task, and links the tenant that it created. If the link is refused, the task gets an
    /// error that says so; the tenant remains at the server.
    ///
    /// # Errors
    /// If the database fails. `None`: another node works on the task.
    pub async fn end(
        &self,
        scope: &TenantScope,
        record: &TaskRecord,
        end: TaskEnd,
    ) -> Result<Option<TaskRecord>> {
        let mut changed = TaskRecord { phase: Phase::Ended.as_str().to_owned(), ..record.clone() };
        changed.ended_at = Some(self.clock.now());
        let TaskEnd { reason, snapshot, link } = end;
        let Some(link) = link else {
            return self
                .store(record, changed, snapshot.as_ref(), Some((scope, reason, None)))
                .await;
        };
        let linked = TaskRecord { tenant_id: link.tenant, ..changed.clone() };
        match self.store(record, linked, snapshot.as_ref(), Some((scope, reason, Some(link)))).await
        {
            Err(error) if is_refusal(&error) => {
                let message =
                    "the tenant was created but could not be linked; link it with linkTenant"
                        .to_owned();
                let unlinked = snapshot.map(|snapshot| Snapshot {
                    error: Some(TaskErrorText { code: None, message }),
                    ..snapshot
                });
                self.store(record, changed, unlinked.as_ref(), Some((scope, reason, None))).await
            }
            stored => {
                scope.forget_access();
                stored
            }
        }
    }

    /// Ends a task that the gateway no longer follows, in its last known state.
    ///
    /// # Errors
    /// If the database fails. `None`: another node works on the task.
    pub async fn abandon(
        &self,
        scope: &TenantScope,
        record: &TaskRecord,
    ) -> Result<Option<TaskRecord>> {
        let end = TaskEnd { reason: EndReason::Abandoned, ..TaskEnd::default() };
        self.end(scope, record, end).await
    }

    async fn store(
        &self,
        before: &TaskRecord,
        mut after: TaskRecord,
        snapshot: Option<&Snapshot>,
        ends: Option<(&TenantScope, EndReason, Option<NewLink>)>,
    ) -> Result<Option<TaskRecord>> {
        if let Some(snapshot) = snapshot {
            apply(&mut after, snapshot)?;
        }
        let work = async |write: Arc<Write<'_>>| {
            if !self.replace(&write, before, &after).await? {
                return Ok(false);
            }
            if after.sequence > before.sequence {
                append_event(&write, &after).await?;
            }
            if let Some((scope, reason, link)) = &ends {
                if let Some(link) = link {
                    self.upstreams.link_in(&write, scope, link).await?;
                }
                self.record_end(&write, scope, &after, *reason).await?;
            }
            Ok(true)
        };
        if !self.database.transaction(work).await? {
            return Ok(None);
        }
        self.readers.notify(after.id);
        Ok(Some(after))
    }

    /// Replaces the stored record if this node still has the lease and nothing was written since it
    /// was read.
    async fn replace(
        &self,
        write: &Write<'_>,
        before: &TaskRecord,
        after: &TaskRecord,
    ) -> Result<bool> {
        let mut row = after.clone().into_active_model().reset_all();
        for own in [task::Column::Id, task::Column::LeaseOwner, task::Column::LeaseUntil] {
            row.not_set(own);
        }
        let replaced = task::Entity::update_many()
            .set(row)
            .filter(task::Column::Id.eq(before.id))
            .filter(task::Column::LeaseOwner.eq(self.node))
            .filter(task::Column::Sequence.eq(before.sequence))
            .filter(task::Column::Phase.ne(Phase::Ended.as_str()))
            .exec(write.on())
            .await;
        match replaced {
            Ok(replaced) => Ok(replaced.rows_affected == 1),
            Err(error) => Err(match error.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => {
                    Error::conflict("another record already has this task")
                }
                _ => error.into(),
            }),
        }
    }

    async fn record_end(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        record: &TaskRecord,
        reason: EndReason,
    ) -> Result<()> {
        let snapshot = record.last_snapshot()?;
        let error = snapshot.as_ref().and_then(|snapshot| snapshot.error.clone());
        let entry = Entry {
            operation: record.purpose()?.operation(),
            tenant: record.tenant_id,
            subject: record.id.to_string(),
            before: None,
            after: Some(json!({
                "taskID": record.remote_task_id,
                "state": record.state,
                "error": error.map(|error| error.code.unwrap_or(error.message)),
                "resultID": record.result_id,
            })),
        };
        let ended = reason.ended(record.state.as_deref());
        audit::record_ended(write.on(), &*self.entropy, scope, entry, ended, &[]).await
    }
}

/// Whether a link is refused permanently. A conflict with another transaction does not count.
fn is_refusal(error: &Error) -> bool {
    [ErrorCode::Conflict, ErrorCode::NotFound].contains(&error.code()) && !error.is_write_conflict()
}

impl EndReason {
    /// The outcome in the audit log of a task that ended for this reason in that state.
    fn ended(self, state: Option<&str>) -> Ended {
        let refused = |reason| Ended { reason: Some(reason), ..Outcome::Refused.into() };
        match (self, state.map(TaskState::read)) {
            (Self::Rejected(code), _) => {
                Ended { code: Some(code.as_str()), ..Outcome::Refused.into() }
            }
            (Self::Observed, Some(TaskState::Completed)) => Outcome::Succeeded.into(),
            (Self::Observed, Some(TaskState::Canceled)) => refused("task_canceled"),
            (Self::Observed, Some(TaskState::Failed)) => refused("task_failed"),
            (Self::Observed | Self::Abandoned, _) => {
                Ended { reason: Some("task_abandoned"), ..Outcome::Unknown.into() }
            }
        }
    }
}

/// Copies a reported state into a record.
fn apply(record: &mut TaskRecord, snapshot: &Snapshot) -> Result<()> {
    let id = RemoteId::read(&snapshot.id)
        .ok_or_else(|| Error::internal("the server reported a task without an identifier"))?;
    record.remote_task_id = Some(id.canonical());
    record.state = Some(snapshot.state.clone());
    record.result_id = snapshot.result_id();
    record.snapshot = Some(snapshot.to_json()?);
    record.sequence += 1;
    if let Some(created) = snapshot.created {
        record.started_at = Timestamp::from_millis(created);
    }
    Ok(())
}

/// Appends the current snapshot to the history and deletes the oldest ones.
async fn append_event(write: &Write<'_>, record: &TaskRecord) -> Result<()> {
    let snapshot = record.snapshot.clone().unwrap_or_default();
    let event = event::Model { task_id: record.id, sequence: record.sequence, snapshot };
    event::Entity::insert(event.into_active_model()).exec_without_returning(write.on()).await?;
    event::Entity::delete_many()
        .filter(event::Column::TaskId.eq(record.id))
        .filter(event::Column::Sequence.lte(record.sequence - EVENTS_KEPT))
        .exec(write.on())
        .await?;
    Ok(())
}
