//! Starting tasks: work that the server continues after its answer.

use std::future::Future;
use std::time::Duration;

use super::{IntegrationServer, LinkedTenant};
use crate::auth::TenantScope;
use crate::error::{Error, ErrorCode, Result, UpstreamDetail};
use crate::ids::TenantId;
use crate::integration_server::client::{CallError, CallErrorKind, Client};
use crate::integration_server::model::{
    NewTenant, NewTenantKind, RemoteId, RemoteTenant, ReportRange, Started,
};
use crate::integration_server::tasks::TaskRecord;
use crate::integration_server::tasks::model::{Intent, NewTask, Purpose, Snapshot};
use crate::integration_server::tasks::service::{EndReason, TaskEnd};
use crate::integration_server::tasks::session::TaskSession;
use crate::outbound::Operation;
use crate::roles::Permission;
use crate::upstreams::{Connection, System};

/// How long a caller waits while the gateway looks for a task whose answer was lost.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(5);

/// The answer to a call that starts a task.
type CallResult = std::result::Result<Started, CallError>;

impl IntegrationServer {
    /// Creates a tenant at an installation that the scope's tenant owns, and links it to a gateway
    /// tenant once it exists.
    ///
    /// # Errors
    /// Before any call is sent: `NOT_FOUND` if it does not own the installation, or if the tenant to
    /// link is neither itself nor below it; `CONFLICT` if that tenant has a link; `FORBIDDEN` if a
    /// link is asked for without the permission to manage upstreams, or an administrator's account
    /// by a caller whose permission to change legacy resources expires.
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
    /// `NOT_FOUND` if the server no longer has it; no change was sent then.
    pub async fn set_active(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        active: bool,
    ) -> Result<TaskRecord> {
        let (linked, tenant) = self.present(scope, operation).await?;
        let client = &linked.client;
        let id = &linked.tenant;
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

    /// Deletes the scope's tenant at its server; the link remains.
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

    /// Creates a report about the scope's tenant.
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

    /// The linked tenant as it is at the server now. The server itself accepts any identifier in
    /// the calls that start tasks.
    async fn present(
        &self,
        scope: &TenantScope,
        operation: &Operation,
    ) -> Result<(LinkedTenant, RemoteTenant)> {
        let linked = self.linked_tenant(scope).await?;
        let tenant = linked.read(operation).await?;
        Ok((linked, tenant))
    }

    /// Records the work, sends its call, and completes the record with the answer.
    async fn begin(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        client: &Client,
        task: NewTask,
        call: impl Future<Output = CallResult>,
    ) -> Result<TaskRecord> {
        let claimed = self.tasks.begin(scope, task).await?;
        let session = self.session(client, operation, &claimed.record);
        let completed = complete(session, scope, call.await).await;
        drop(claimed);
        // The poller does the rest.
        self.tasks.wake.notify_one();
        completed
    }
}

/// Completes a record with the answer to its call.
async fn complete(
    session: TaskSession<'_>,
    scope: &TenantScope,
    answer: CallResult,
) -> Result<TaskRecord> {
    match answer {
        Err(error) if error.kind() != CallErrorKind::OutcomeUnknown => {
            // The server began nothing.
            let error = Error::from(error);
            let end = TaskEnd { reason: EndReason::Rejected(error.code()), ..TaskEnd::default() };
            let ended = session.tasks.end(scope, session.record, end).await?;
            Err(if ended.is_some() { error.as_recorded() } else { error })
        }
        // The server may have begun the work, whatever goes wrong from here on.
        answer => find(session, scope, answer).await.map_err(Error::with_unknown_outcome),
    }
}

/// The task of a call that the server may have carried out.
async fn find(
    session: TaskSession<'_>,
    scope: &TenantScope,
    answer: CallResult,
) -> Result<TaskRecord> {
    let lost = match answer {
        Ok(Started::Task(id)) => return named(session, &id).await,
        Ok(Started::Unnamed) => unnamed(scope),
        Err(error) => error.into(),
    };
    let Some(record) = session.tasks.mark_answer_lost(session.record).await? else {
        return Err(lost);
    };
    session.with(&record).reconcile_within(RECONCILE_TIMEOUT).await.ok_or(lost)
}

/// Stores the identifier that the server answered, then polls the task once. The task is known even
/// if that poll fails.
async fn named(session: TaskSession<'_>, id: &RemoteId) -> Result<TaskRecord> {
    let stored = session.tasks.record_observation(session.record, &Snapshot::accepted(id)).await?;
    let known = stored
        .ok_or_else(|| Error::internal("another node claimed a task while its call was sent"))?;
    let Ok(task) = session.client.task(session.operation, id).await else { return Ok(known) };
    match session.with(&known).observe(&task).await {
        Ok(Some(observed)) => Ok(observed),
        Ok(None) | Err(_) => Ok(known),
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

/// The error for an accepted call whose answer names no task.
fn unnamed(scope: &TenantScope) -> Error {
    let message = "the Integration Server accepted the work but did not name its task; \
        look for it in the list of tasks";
    let detail = UpstreamDetail {
        system: System::IntegrationServer.as_str(),
        status: Some(202),
        code: None,
    };
    Error::new(ErrorCode::UpstreamMalformed, message).of_upstream(detail).of_tenant(scope.tenant())
}
