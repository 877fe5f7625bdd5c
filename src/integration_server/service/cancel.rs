//! Canceling tasks.

use serde_json::json;

use super::{AuditedChange, IntegrationServer};
use crate::auth::TenantScope;
use crate::error::{Error, Result};
use crate::integration_server::client::{CallErrorKind, Client};
use crate::integration_server::model::{RemoteId, Task, TaskState};
use crate::integration_server::tasks::TaskRecord;
use crate::integration_server::tasks::model::Snapshot;
use crate::integration_server::tasks::session::TaskSession;
use crate::outbound::Operation;
use crate::roles::Permission;

impl IntegrationServer {
    /// Cancels a task of the scope's tenant or of one below it. Returns its record, and the task as
    /// the server reports it afterwards. The task may still complete.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other task; `CONFLICT` if it has ended, or if the server cancels it only
    /// with its parent task; `UPSTREAM_NOT_LINKED` after the tenant was unlinked.
    pub async fn cancel(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        id: &str,
    ) -> Result<(TaskRecord, Snapshot)> {
        let record = self.tasks.find(scope, id).await?;
        let scope = scope.within(record.tenant_id, Permission::WriteLegacy).await?;
        if record.has_ended() {
            return Err(Error::conflict("the task has ended"));
        }
        let last = record.last_snapshot()?.ok_or_else(|| Error::not_found("task"))?;
        let id = RemoteId::read(&last.id).ok_or_else(|| Error::not_found("task"))?;
        let remote = record.remote_tenant_id.as_deref();
        let connection = self.upstreams.of_open_record(&scope, record.upstream_id, remote).await?;
        let client = Client::new(self.outbound.clone(), &connection)?;
        let change = AuditedChange {
            name: "cancelIntegrationServerTask",
            subject: record.id.to_string(),
            wanted: json!({ "taskID": id.as_str() }),
        };
        let work = cancel_and_read(self.session(&client, operation, &record), &id, last);
        let described = |after: &Snapshot| json!({ "taskID": id.as_str(), "state": after.state });
        let snapshot = self.change(&scope, operation, change, work, described).await?;
        Ok((record, snapshot))
    }
}

/// Cancels a task; returns it as it is then, or as it was before if the server does not say.
async fn cancel_and_read(
    session: TaskSession<'_>,
    id: &RemoteId,
    before: Snapshot,
) -> Result<Snapshot> {
    let Some(task) = canceled(session, id).await? else { return Ok(before) };
    Ok(session.snapshot_of(&task).await.unwrap_or(before))
}

/// Cancels a task; returns it as it is then. `None`: it is canceled, but the server does not report
/// its state.
async fn canceled(session: TaskSession<'_>, id: &RemoteId) -> Result<Option<Task>> {
    let unknown = match session.client.cancel_task(session.operation, id).await {
        Err(error) if error.kind() == CallErrorKind::OutcomeUnknown => Some(Error::from(error)),
        canceled => canceled.map(|_| None)?,
    };
    match (session.client.task(session.operation, id).await, unknown) {
        (Ok(task), unknown) if unknown.is_none() || is_stopping(&task) => Ok(Some(task)),
        (_, Some(unknown)) => Err(unknown),
        (_, None) => Ok(None),
    }
}

fn is_stopping(task: &Task) -> bool {
    matches!(task.state, TaskState::Stopping | TaskState::Canceled)
}
