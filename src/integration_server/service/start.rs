//! Beginning work that the server does after it has answered, and canceling it.

use std::future::Future;
use std::time::Duration;

use super::{AuditedChange, IntegrationServer, LinkedTenant};
use crate::auth::TenantScope;
use crate::error::{Error, ErrorCode, Result, UpstreamDetail};
use crate::ids::TenantId;
use crate::integration_server::client::{CallError, CallErrorKind, Client};
use crate::integration_server::model::{
    NewTenant, NewTenantKind, RemoteId, RemoteTenant, ReportRange, Started, Task, TaskState,
};
use crate::integration_server::tasks::ClaimedTask;
use crate::integration_server::tasks::model::{
    Intent, NewTask, Phase, Purpose, Snapshot, TaskRecord,
};
use crate::integration_server::tasks::reconcile::snapshot_of;
use crate::integration_server::tasks::service::{EndReason, TaskEnd};
use crate::outbound::Operation;
use crate::roles::Permission;
use crate::upstreams::{Connection, System};

/// How long a caller waits for a task that is looked for because its answer was lost.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(5);

impl IntegrationServer {
    /// Makes a tenant at an installation that the scope's tenant owns, and links it to a tenant of
    /// ours when it is made.
    ///
    /// # Errors
    /// `NOT_FOUND` for an installation that it does not own, and for a tenant to link that does not
    /// stand at or below it; `CONFLICT` for one that has a link; `FORBIDDEN` without the right to
    /// manage upstreams, where one is to be linked, and for an administrator's account by a caller
    /// whose right to change legacy resources ends. Nothing was sent then.
    pub async fn create_tenant(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        upstream: &str,
        new: NewTenant,
        link: Option<TenantId>,
    ) -> Result<TaskRecord> {
        if matches!(new.kind, NewTenantKind::Complete(_))
            && scope.end_of(Permission::WriteLegacy).await?.is_some()
        {
            return Err(Error::forbidden(
                "administrator: the account has no end, but the caller's right to change legacy \
                 resources has one",
            ));
        }
        let (client, connection) = self.owned(scope, Some(upstream)).await?;
        if let Some(tenant) = link {
            let scope = scope.within(scope.tenant(), Permission::ManageUpstreams).await?;
            self.upstreams.can_link(&scope, System::IntegrationServer, tenant).await?;
        }
        let others = client.tenants(operation).await?;
        let name_was_free = others.iter().all(|other| other.name != new.name.as_str());
        let intent = Intent::to_create(&new, name_was_free);
        let task = NewTask { link, ..new_task(&connection, Purpose::Create, None, intent) };
        self.begin(scope, operation, &client, task, client.create_tenant(operation, &new)).await
    }

    /// Activates or deactivates the scope's tenant.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is no longer there; nothing was sent then.
    pub async fn set_active(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        active: bool,
    ) -> Result<TaskRecord> {
        let (linked, tenant) = self.present(scope, operation).await?;
        let (client, id) = (&linked.client, &linked.tenant);
        let purpose = if active { Purpose::Activate } else { Purpose::Deactivate };
        let task = linked.task(purpose, Intent::about(&tenant));
        let call = async {
            if active {
                client.activate_tenant(operation, id).await
            } else {
                client.deactivate_tenant(operation, id).await
            }
        };
        self.begin(scope, operation, client, task, call).await
    }

    /// Removes the scope's tenant from its server; the link stays.
    ///
    /// # Errors
    /// As [`IntegrationServer::set_active`].
    pub async fn delete_tenant(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        artifacts: bool,
    ) -> Result<TaskRecord> {
        let (linked, tenant) = self.present(scope, operation).await?;
        let intent = Intent { remove_artifacts: Some(artifacts), ..Intent::about(&tenant) };
        let task = linked.task(Purpose::Delete, intent);
        let call = linked.client.delete_tenant(operation, &linked.tenant, artifacts);
        self.begin(scope, operation, &linked.client, task, call).await
    }

    /// Makes a report about the scope's tenant.
    ///
    /// # Errors
    /// As [`IntegrationServer::set_active`].
    pub async fn create_report(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        range: ReportRange,
    ) -> Result<TaskRecord> {
        let (linked, _) = self.present(scope, operation).await?;
        let task = linked.task(Purpose::Report, Intent::to_report(&range));
        let call = linked.client.create_report(operation, &linked.tenant, &range);
        self.begin(scope, operation, &linked.client, task, call).await
    }

    /// Cancels a task about the scope's tenant or one below it; gives its record, and the task as
    /// it is then. It may still end as completed.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other, `CONFLICT` if it has ended or can only be canceled with the task
    /// that it is part of, `UPSTREAM_NOT_LINKED` once the link of the tenant has ended.
    pub async fn cancel(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        id: &str,
    ) -> Result<(TaskRecord, Snapshot)> {
        let record = self.tasks().find(scope, id).await?;
        let scope = scope.within(record.tenant_id, Permission::WriteLegacy).await?;
        if record.phase == Phase::Ended.as_str() {
            return Err(Error::conflict("the task has ended"));
        }
        let seen = Snapshot::read(record.snapshot.as_deref().unwrap_or_default())?;
        let id = RemoteId::read(&seen.id).ok_or_else(|| Error::not_found("task"))?;
        let remote = record.remote_tenant_id.as_deref();
        let connection = self.upstreams.of_open_record(&scope, record.upstream_id, remote).await?;
        let client = Client::new(self.outbound.clone(), &connection)?;
        let wanted = serde_json::json!({ "taskID": id.as_str() });
        let change = AuditedChange {
            name: "cancelIntegrationServerTask",
            subject: record.id.to_string(),
            wanted,
        };
        let work = async {
            let canceled = canceled(&client, operation, &id).await?;
            match canceled {
                Some(task) => {
                    Ok(snapshot_of(&client, operation, &record, &task).await.unwrap_or(seen))
                }
                // It was canceled; how it is now the next look tells.
                None => Ok(seen),
            }
        };
        let described =
            |seen: &Snapshot| serde_json::json!({ "taskID": id.as_str(), "state": seen.state });
        let snapshot = self.change(&scope, operation, change, work, described).await?;
        Ok((record, snapshot))
    }

    /// The linked tenant of the scope's tenant, and the tenant as it is there: the server would take any
    /// identifier.
    async fn present(
        &self,
        scope: &TenantScope,
        operation: &Operation,
    ) -> Result<(LinkedTenant, RemoteTenant)> {
        let linked = self.linked_tenant(scope).await?;
        let tenant = linked.read(operation).await?;
        Ok((linked, tenant))
    }

    /// Records the work, begins it, and completes the record by what came back.
    async fn begin(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        client: &Client,
        task: NewTask,
        call: impl Future<Output = std::result::Result<Started, CallError>>,
    ) -> Result<TaskRecord> {
        let begun = self.tasks().begin(scope, task).await?;
        let completed = self.complete(scope, operation, client, &begun, call.await).await;
        drop(begun);
        // Whatever is left to be done is the poller's now.
        self.tasks().wake.notify_one();
        completed
    }

    async fn complete(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        client: &Client,
        begun: &ClaimedTask,
        answer: std::result::Result<Started, CallError>,
    ) -> Result<TaskRecord> {
        match answer {
            Err(error) if error.kind() != CallErrorKind::OutcomeUnknown => {
                // Nothing was begun.
                let error = Error::from(error);
                let end =
                    TaskEnd { reason: EndReason::Rejected(error.code()), ..TaskEnd::default() };
                let ended = self.tasks().end(scope, &begun.record, end).await?;
                Err(if ended.is_some() { error.as_recorded() } else { error })
            }
            // Whatever goes wrong from here on, it may have been begun.
            answer => {
                let found = self.find(scope, operation, client, &begun.record, answer).await;
                found.map_err(Error::with_unknown_outcome)
            }
        }
    }

    /// The task of a call that may have been carried out.
    async fn find(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        client: &Client,
        record: &TaskRecord,
        answer: std::result::Result<Started, CallError>,
    ) -> Result<TaskRecord> {
        let lost = match answer {
            Ok(Started::Task(id)) => return self.named(operation, client, record, &id).await,
            Ok(Started::Unnamed) => unnamed(scope),
            Err(error) => error.into(),
        };
        let Some(record) = self.tasks().mark_answer_lost(record).await? else { return Err(lost) };
        let found =
            self.poller.reconcile_within(&record, client, operation, RECONCILE_TIMEOUT).await?;
        found.ok_or(lost)
    }

    /// The server has named the task. How it is now is asked at once, and if that fails it is known
    /// all the same.
    async fn named(
        &self,
        operation: &Operation,
        client: &Client,
        record: &TaskRecord,
        id: &RemoteId,
    ) -> Result<TaskRecord> {
        let accepted = Snapshot::accepted(id);
        let stored = self.tasks().record_observation(record, &accepted).await?;
        let known =
            stored.ok_or_else(|| Error::internal("a task was taken over while it was begun"))?;
        let Ok(task) = client.task(operation, id).await else { return Ok(known) };
        match self.poller.observe(&known, client, operation, &task).await {
            Ok(Some(seen)) => Ok(seen),
            Ok(None) | Err(_) => Ok(known),
        }
    }
}

impl LinkedTenant {
    fn task(&self, purpose: Purpose, intent: Intent) -> NewTask {
        new_task(&self.connection, purpose, Some(self.tenant.as_str().to_owned()), intent)
    }
}

fn new_task(
    connection: &Connection,
    purpose: Purpose,
    remote_tenant: Option<String>,
    intent: Intent,
) -> NewTask {
    NewTask { upstream: connection.endpoint.upstream, purpose, remote_tenant, link: None, intent }
}

/// Cancels a task; gives it as it is then, if the server tells.
async fn canceled(client: &Client, operation: &Operation, id: &RemoteId) -> Result<Option<Task>> {
    let unknown = match client.cancel_task(operation, id).await {
        Err(error) if error.kind() == CallErrorKind::OutcomeUnknown => Some(Error::from(error)),
        canceled => canceled.map(|_| None)?,
    };
    match (client.task(operation, id).await, unknown) {
        (Ok(task), unknown) if unknown.is_none() || is_stopping(&task) => Ok(Some(task)),
        (_, Some(unknown)) => Err(unknown),
        (_, None) => Ok(None),
    }
}

fn is_stopping(task: &Task) -> bool {
    matches!(task.state, TaskState::Stopping | TaskState::Canceled)
}

/// The server has accepted the work in an answer that names no task.
fn unnamed(scope: &TenantScope) -> Error {
    let message = "the Integration Server began the work and did not say which task does it; look for it in the tasks";
    let detail = UpstreamDetail {
        system: System::IntegrationServer.as_str(),
        status: Some(202),
        code: None,
    };
    Error::new(ErrorCode::UpstreamMalformed, message).of_upstream(detail).of_tenant(scope.tenant())
}
