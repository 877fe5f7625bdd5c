//! Reads at the server.

use std::sync::Arc;

use super::IntegrationServer;
use crate::auth::TenantScope;
use crate::error::{Error, Result};
use crate::ids::{TaskId, UpstreamId};
use crate::integration_server::client::{CallErrorKind, Client};
use crate::integration_server::model::{RemoteId, RemoteTenant, Report, VirtualMachine};
use crate::integration_server::tasks::TaskRecord;
use crate::integration_server::tasks::model::CreatedObject;
use crate::outbound::Operation;

impl IntegrationServer {
    /// The tenant of the scope as it is at its server.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED`, `NOT_FOUND` if it is no longer there.
    pub async fn tenant(
        &self,
        scope: &TenantScope,
        operation: &Operation,
    ) -> Result<Arc<RemoteTenant>> {
        let linked = self.linked_tenant(scope).await?;
        let key = (linked.connection.installation_route().key(), "tenant".to_owned());
        let ask = || async {
            let read = linked.read(operation).await;
            self.note_use(scope, &linked, &read).await;
            read
        };
        operation.once(key, ask).await
    }

    /// The machines of the scope's tenant, by name, then by identifier.
    ///
    /// # Errors
    /// As [`IntegrationServer::tenant`].
    pub async fn machines(
        &self,
        scope: &TenantScope,
        operation: &Operation,
    ) -> Result<Arc<Vec<VirtualMachine>>> {
        let linked = self.linked_tenant(scope).await?;
        let key = (linked.connection.installation_route().key(), "machines".to_owned());
        let ask = || async {
            let machines = linked.client.machines(operation, &linked.tenant).await;
            let machines = machines.map_err(|error| linked.named(error));
            self.note_use(scope, &linked, &machines).await;
            let mut machines = machines?;
            machines.sort_by_cached_key(|machine| {
                (machine.name.clone().unwrap_or_default(), machine.id.canonical())
            });
            Ok(machines)
        };
        operation.once(key, ask).await
    }

    /// All tenants of an installation that the scope's tenant owns, by name, then by identifier,
    /// and which installation it is.
    ///
    /// # Errors
    /// `FORBIDDEN` if it owns none, `NOT_FOUND` for one that it does not own, `CONFLICT` if it owns
    /// several and none is named.
    pub async fn tenants(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        upstream: Option<&str>,
    ) -> Result<(UpstreamId, Arc<Vec<RemoteTenant>>)> {
        let (client, connection) = self.owned(scope, upstream).await?;
        let key = (connection.installation_route().key(), "tenants".to_owned());
        let ask = || async {
            let mut tenants = client.tenants(operation).await?;
            tenants.sort_by_cached_key(|tenant| (tenant.name.clone(), tenant.id.canonical()));
            Ok(tenants)
        };
        Ok((connection.endpoint.upstream, operation.once(key, ask).await?))
    }

    /// The report that this task about the scope's tenant, or one below it, made: its lines about
    /// that tenant alone.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other, and once the server has dropped it, which it does after about a
    /// day; `UPSTREAM_NOT_LINKED` once the link of the tenant has ended.
    pub async fn report(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        task: TaskId,
    ) -> Result<Arc<Report>> {
        let record = self.tasks().reload(scope, task).await?;
        let (report, tenant) = report_of(&record)?;
        let scope = scope.within(record.tenant_id, crate::roles::Permission::ReadLegacy).await?;
        let remote = record.remote_tenant_id.as_deref();
        let connection = self.upstreams.of_open_record(&scope, record.upstream_id, remote).await?;
        let client = Client::new(self.outbound.clone(), &connection)?;
        let key = (connection.installation_route().key(), format!("report {}", report.canonical()));
        let ask = || async {
            match client.report(operation, &report, &tenant).await {
                Err(error) if error.kind() == CallErrorKind::TenantNotFound => {
                    Err(Error::not_found("report"))
                }
                report => Ok(report?),
            }
        };
        operation.once(key, ask).await
    }
}

/// The report that a task made, and the tenant there that it is about.
fn report_of(record: &TaskRecord) -> Result<(RemoteId, RemoteId)> {
    let snapshot = record.last_snapshot()?;
    let made = snapshot.and_then(|snapshot| snapshot.result);
    let report = made.and_then(|made| {
        if let CreatedObject::Report(id) = made { RemoteId::read(&id) } else { None }
    });
    let tenant = record.remote_tenant_id.as_deref().and_then(RemoteId::read);
    report.zip(tenant).ok_or_else(|| Error::not_found("report"))
}
