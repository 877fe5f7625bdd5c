//! Objects of a server by their ids, for those who find them without `IntegrationServer`.

use async_graphql::Context;
use futures_util::FutureExt;

use super::machine::MachineObject;
use super::report::ReportObject;
use super::task::TaskObject;
use super::tenant::TenantObject;
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, request, service};
use crate::error::{Error, Result};
use crate::ids::{LinkId, TaskId, UpstreamId};
use crate::integration_server::IntegrationServer;
use crate::integration_server::model::RemoteId;
use crate::roles::Permission;

/// A task about the tenant in context or one below it.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read legacy resources.
pub async fn find_task(ctx: &Context<'_>, id: &str) -> Result<TaskObject> {
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    let record = service::<IntegrationServer>(ctx)?.tasks().find(&scope, id).await?;
    TaskObject::of(&record, &scope)
}

/// The report of a task about the tenant in context or one below it, by the gateway's id of the
/// task.
///
/// # Errors
/// `NOT_FOUND` for any other, and for one that the server has dropped; as every call.
pub async fn find_report(ctx: &Context<'_>, task: TaskId) -> Result<ReportObject> {
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    let record =
        service::<IntegrationServer>(ctx)?.tasks().of_report(&scope, &task.to_string()).await?;
    let slot = operation(ctx)?.tenant_slot(record.tenant_id).await?;
    let report =
        ReportObject { id: record.id, remote_id: record.result_id.unwrap_or_default(), scope };
    slot.read(report.read(ctx).boxed()).await?;
    Ok(report)
}

/// A machine of the scope's tenant, by the link that its global id names.
///
/// # Errors
/// `NOT_FOUND` if the tenant has another link or no such machine; as every call.
pub async fn find_machine(
    ctx: &Context<'_>,
    scope: &TenantScope,
    link: LinkId,
    remote: &str,
) -> Result<MachineObject> {
    let not_found = || Error::not_found("virtual machine");
    let id = RemoteId::read(remote).ok_or_else(not_found)?;
    let server = service::<IntegrationServer>(ctx)?;
    let within = server.linked_tenant(scope).await?.within();
    if within != link.0 {
        return Err(not_found());
    }
    let slot = operation(ctx)?.tenant_slot(scope.tenant()).await?;
    let machines = slot.read(server.machines(scope, operation(ctx)?).boxed()).await?;
    let machine = machines.iter().find(|machine| machine.id == id).ok_or_else(not_found)?;
    Ok(MachineObject::new(within, machine.clone()))
}

/// A tenant of a server: of the one named, which the scope's tenant owns, else the tenant itself.
///
/// # Errors
/// `NOT_FOUND` if the scope's tenant is another one there; as every call.
pub async fn find_tenant(
    ctx: &Context<'_>,
    scope: &TenantScope,
    owned: Option<UpstreamId>,
    remote: &str,
) -> Result<TenantObject> {
    let not_found = || Error::not_found("tenant of the installation");
    let id = RemoteId::read(remote).ok_or_else(not_found)?;
    let server = service::<IntegrationServer>(ctx)?;
    let slot = operation(ctx)?.tenant_slot(scope.tenant()).await?;
    let Some(upstream) = owned else {
        let upstream = server.linked_tenant(scope).await?.upstream();
        let tenant = slot.read(server.tenant(scope, operation(ctx)?).boxed()).await?;
        let found = Some(tenant).filter(|tenant| tenant.id == id).ok_or_else(not_found)?;
        return Ok(TenantObject::new(upstream, (*found).clone()));
    };
    let named = upstream.to_string();
    let (upstream, tenants) =
        slot.read(server.tenants(scope, operation(ctx)?, Some(&named)).boxed()).await?;
    let tenant = tenants.iter().find(|tenant| tenant.id == id).ok_or_else(not_found)?;
    Ok(TenantObject::new(upstream, tenant.clone()))
}
