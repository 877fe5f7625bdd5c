//! Queries of the Integration Server of a tenant.

use async_graphql::{Context, ID, Object};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::connection::{ConnectionSelection, ObjectConnection};
use super::lists::{count, page_query};
use super::machine::MachineObject;
use super::report::ReportObject;
use super::task::TaskObject;
use super::task_kinds::IntegrationServerTaskState;
use super::tenant::TenantObject;
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, request, scope_within, service};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::global_id::{GlobalId, NodeKind};
use crate::graph::graphql::{Connection, Edge, largest_text};
use crate::ids::TenantId;
use crate::integration_server::model::PageQuery;
use crate::integration_server::tasks::model::{StateFilter, TaskQuery};
use crate::integration_server::{IntegrationServer, WantedPage};
use crate::outbound::TenantSlot;
use crate::paging::{cursor, read_cursor};
use crate::roles::Permission;

/// The Integration Server of a tenant.
pub struct IntegrationServerObject {
    scope: TenantScope,
    /// The tenant's turn, where the operation reaches it through the tenant; else each read waits
    /// for one of its own.
    slot: Option<TenantSlot>,
}

impl IntegrationServerObject {
    async fn read<T>(&self, ctx: &Context<'_>, work: BoxFuture<'_, Result<T>>) -> Result<T> {
        match &self.slot {
            Some(slot) => slot.read(work).await,
            None => operation(ctx)?.tenant_slot(self.scope.tenant()).await?.read(work).await,
        }
    }
}

/// The Integration Server of a tenant below the one in context: what `Tenant.integrationServer`
/// answers.
///
/// # Errors
/// `FORBIDDEN` without the right to read legacy resources there, `UPSTREAM_NOT_LINKED` if it has
/// none.
pub async fn of_tenant(ctx: &Context<'_>, tenant: TenantId) -> Result<IntegrationServerObject> {
    let scope = scope_within(ctx, tenant, Permission::ReadLegacy).await;
    enter(ctx, scope.map_err(|error| error.of_tenant(tenant))?).await
}

async fn enter(ctx: &Context<'_>, scope: TenantScope) -> Result<IntegrationServerObject> {
    service::<IntegrationServer>(ctx)?.exists(&scope).boxed().await?;
    let slot = operation(ctx)?.tenant_slot(scope.tenant()).await?;
    Ok(IntegrationServerObject { scope, slot: Some(slot) })
}

/// The Integration Server of a tenant, for those who know it by its global id. It holds no turn:
/// among many such objects each would wait for the others.
///
/// # Errors
/// As [`of_tenant`].
pub async fn of_tenant_by_id(
    ctx: &Context<'_>,
    tenant: TenantId,
) -> Result<IntegrationServerObject> {
    let scope = scope_within(ctx, tenant, Permission::ReadLegacy).await?;
    service::<IntegrationServer>(ctx)?.exists(&scope).boxed().await?;
    Ok(IntegrationServerObject { scope, slot: None })
}

/// The tenant's view of the Integration Server that it is linked to. A tenant that owns an
/// Integration Server can also list all its tenants.
#[Object(name = "IntegrationServer")]
impl IntegrationServerObject {
    /// The global id. Opaque; one for each tenant.
    pub async fn id(&self) -> ID {
        ID(GlobalId::write(NodeKind::IntegrationServer, self.scope.tenant().0, ""))
    }

    /// The tenant as the server knows it. NOT_FOUND if it was deleted there.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Option<TenantObject>> {
        let server = service::<IntegrationServer>(ctx)?;
        let upstream = server.linked_tenant(&self.scope).await?.upstream();
        let tenant = self.read(ctx, server.tenant(&self.scope, operation(ctx)?).boxed()).await?;
        Ok(Some(TenantObject::new(upstream, (*tenant).clone())))
    }

    /// Lists the virtual machines that are registered for the tenant, ordered by name.
    async fn virtual_machines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 5000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Returns items whose name matches. `%` matches any text; case-insensitive."
        )]
        name: Option<String>,
    ) -> Result<Option<ObjectConnection<MachineObject>>> {
        let selection = ConnectionSelection::of(ctx)?;
        let has_previous = after.is_some();
        let query = page_query(first, after.as_deref(), name.as_deref())?;
        let wanted = wanted(ctx, &selection, query);
        let server = service::<IntegrationServer>(ctx)?;
        let page = server.machine_page(&self.scope, operation(ctx)?, wanted).boxed();
        let page = self.read(ctx, page).await?;
        ObjectConnection::new(ctx, selection, page, has_previous).map(Some)
    }

    /// Returns a task on this tenant or one below it that was started through the gateway.
    /// NOT_FOUND for any other.
    async fn task(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The task's id. The vendor's id is accepted at the servers that the tenant owns \
                or is linked to; CONFLICT if it matches several tasks."
        )]
        id: ID,
    ) -> Result<Option<TaskObject>> {
        let record = service::<IntegrationServer>(ctx)?.tasks().find(&self.scope, &id).await?;
        Ok(Some(TaskObject::of(&record, &self.scope)?))
    }

    /// Lists the tasks on this tenant and those below it that were started through the gateway,
    /// newest first. A task must match every filter. A task whose response was lost is listed once
    /// it is found.
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 5000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns tasks in this state.")] state: Option<IntegrationServerTaskState>,
        #[graphql(desc = "Returns tasks of this type, as `typeText` has it.", name = "type")]
        kind: Option<String>,
        #[graphql(desc = "Returns tasks created at or after this time, in RFC 3339.")]
        created_from: Option<String>,
    ) -> Result<Option<Connection<TaskObject>>> {
        let count = count(first)?;
        let after = after.as_deref().map(|after| read_cursor("after", after)).transpose()?;
        let wanted = TaskQuery {
            state: state.map_or(StateFilter::Any, IntegrationServerTaskState::filter),
            kind,
            created_from: created_from
                .map(|from| Timestamp::parse("createdFrom", &from))
                .transpose()?,
        };
        let tasks = service::<IntegrationServer>(ctx)?.tasks();
        let total = if ctx.look_ahead().field("totalCount").exists() {
            Some(tasks.count(&self.scope, wanted.clone()).await?)
        } else {
            None
        };
        let mut records = tasks.list(&self.scope, wanted, after, count as u64).await?;
        let more = records.len() > count;
        records.truncate(count);
        let edge = |record: &_| {
            Ok(Edge::new(cursor(&place(record)), TaskObject::of(record, &self.scope)?))
        };
        let edges = records.iter().map(edge).collect::<Result<_>>()?;
        Ok(Some(Connection::new(edges, after.is_some(), more, total)))
    }

    /// Returns a report on this tenant or one below it that was created through the gateway.
    /// NOT_FOUND for any other, and for a report that the server has deleted.
    async fn report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id; the vendor's id is accepted as in `task`.")] id: ID,
    ) -> Result<Option<ReportObject>> {
        let record =
            service::<IntegrationServer>(ctx)?.tasks().of_report(&self.scope, &own_id(&id)).await?;
        let remote_id = record.result_id.unwrap_or_default();
        let report = ReportObject { id: record.id, remote_id, scope: self.scope.clone() };
        self.read(ctx, report.read(ctx).boxed()).await?;
        Ok(Some(report))
    }

    /// Lists the tenants of a server, ordered by name. FORBIDDEN unless the tenant in context owns
    /// it.
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 5000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Returns items whose name matches. `%` matches any text; case-insensitive."
        )]
        name: Option<String>,
        #[graphql(
            desc = "The id of the upstream. Required if the tenant owns several.",
            name = "upstreamID"
        )]
        upstream_id: Option<ID>,
    ) -> Result<Option<ObjectConnection<TenantObject>>> {
        let selection = ConnectionSelection::of(ctx)?;
        let has_previous = after.is_some();
        let query = page_query(first, after.as_deref(), name.as_deref())?;
        let wanted = wanted(ctx, &selection, query);
        let server = service::<IntegrationServer>(ctx)?;
        let upstream = upstream_id.as_ref().map(|id| id.as_str());
        let page = server.tenant_page(&self.scope, operation(ctx)?, upstream, wanted).boxed();
        let page = self.read(ctx, page).await?;
        ObjectConnection::new(ctx, selection, page, has_previous).map(Some)
    }
}

fn wanted<N>(
    ctx: &Context<'_>,
    selection: &ConnectionSelection<N>,
    query: PageQuery,
) -> WantedPage {
    WantedPage { plan: selection.nodes.plan.clone(), query, largest: largest_text(ctx) }
}

/// The gateway's own id in the global id of a report; any other id as it is.
fn own_id(id: &str) -> String {
    let global = GlobalId::read(id).filter(|id| id.kind == NodeKind::IntegrationServerReport);
    global.map_or_else(|| id.to_owned(), |id| id.place.to_string())
}

fn place(record: &crate::integration_server::tasks::TaskRecord) -> (i64, crate::ids::TaskId) {
    (record.created_at.millis(), record.id)
}

/// Queries of the Integration Server.
#[derive(Default)]
pub struct IntegrationServerQuery;

#[Object]
impl IntegrationServerQuery {
    /// Returns the Integration Server of the tenant in context. UPSTREAM_NOT_LINKED if the tenant
    /// is not linked to one and owns none. Requires the permission to read legacy resources.
    async fn integration_server(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<IntegrationServerObject>> {
        Ok(Some(enter(ctx, request(ctx)?.scope(Permission::ReadLegacy)?).await?))
    }
}
