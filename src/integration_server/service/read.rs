//! Reads at the server.

use std::sync::Arc;

use uuid::Uuid;

use super::{IntegrationServer, LinkedTenant};
use crate::auth::TenantScope;
use crate::error::{Error, Result};
use crate::ids::{TaskId, UpstreamId};
use crate::integration_server::client::{
    CallErrorKind, Client, ListAnswer, ObjectPage, PageProjection,
};
use crate::integration_server::model::{PageQuery, RemoteId, RemoteTenant, Report, VirtualMachine};
use crate::integration_server::tasks::TaskRecord;
use crate::integration_server::tasks::model::CreatedObject;
use crate::outbound::Operation;
use crate::projection::Plan;
use crate::upstreams::Connection;

/// The page of a list that a caller wants.
pub struct WantedPage {
    /// The plan of the type of its objects.
    pub plan: Arc<Plan>,
    /// The query for its objects.
    pub query: PageQuery,
    /// The most bytes of text.
    pub largest: usize,
}

impl WantedPage {
    fn in_place(self, place: Uuid) -> PageProjection {
        let Self { plan, query, largest } = self;
        PageProjection { plan, query, place, largest }
    }
}

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

    /// The machines of the scope's tenant.
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
            let list = self.machine_list(scope, &linked, operation).await?;
            Ok(linked.client.machines_of(&list).await?)
        };
        operation.once(key, ask).await
    }

    /// A page of the machines of the scope's tenant, by name, then by identifier.
    ///
    /// # Errors
    /// As [`IntegrationServer::tenant`].
    pub async fn machine_page(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        wanted: WantedPage,
    ) -> Result<Arc<ObjectPage>> {
        let linked = self.linked_tenant(scope).await?;
        let list = self.machine_list(scope, &linked, operation).await?;
        linked.client.page(&list, wanted.in_place(linked.within())).await
    }

    /// The list of machines. Fields that need it at the same time share one call.
    async fn machine_list(
        &self,
        scope: &TenantScope,
        linked: &LinkedTenant,
        operation: &Operation,
    ) -> Result<Arc<ListAnswer>> {
        let key = (linked.connection.installation_route().key(), "machines".to_owned());
        let ask = || async {
            let list = linked.client.machine_list(operation, &linked.tenant).await;
            let list = list.map_err(|error| linked.named(error));
            self.note_use(scope, linked, &list).await;
            list
        };
        operation.shared(key, ask).await
    }

    /// All tenants of an installation that the scope's tenant owns, and which installation it is.
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
        let route = connection.installation_route().key();
        let ask = || async {
            let list = tenant_list(&client, &connection, operation).await?;
            Ok(client.tenants_of(&list).await?)
        };
        let tenants = operation.once((route, "tenants".to_owned()), ask).await?;
        Ok((connection.endpoint.upstream, tenants))
    }

    /// A page of these tenants, by name, then by identifier.
    ///
    /// # Errors
    /// As [`IntegrationServer::tenants`].
    pub async fn tenant_page(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        upstream: Option<&str>,
        wanted: WantedPage,
    ) -> Result<Arc<ObjectPage>> {
        let (client, connection) = self.owned(scope, upstream).await?;
        let list = tenant_list(&client, &connection, operation).await?;
        client.page(&list, wanted.in_place(connection.endpoint.upstream.0)).await
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

/// The list of tenants. Fields that need it at the same time share one call.
async fn tenant_list(
    client: &Client,
    connection: &Connection,
    operation: &Operation,
) -> Result<Arc<ListAnswer>> {
    let key = (connection.installation_route().key(), "tenants".to_owned());
    let ask = || async { Ok(client.tenant_list(operation).await?) };
    operation.shared(key, ask).await
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
