//! Finds an object of any type by its global id.

use async_graphql::Context;
use futures_util::FutureExt;
use uuid::Uuid;

use super::Node;
use crate::audit::graphql as audit;
use crate::auth::TenantScope;
use crate::auth::graphql::{request, service};
use crate::clients::graphql as clients;
use crate::deep_security::graphql as deep_security;
use crate::error::{Error, ErrorCode, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::{LinkId, RoleId, TaskId, TenantId, UpstreamId};
use crate::integration_server::graphql as integration_server;
use crate::roles::{Permission, Role};
use crate::tenants::Tenants;
use crate::upstreams::{LegacyTenant, Upstreams};
use crate::users::graphql as users;

/// Returns the object with a global id.
///
/// # Errors
/// `BAD_USER_INPUT` for a malformed id, `NOT_FOUND` if the object does not exist or the caller
/// cannot read it.
pub async fn node(ctx: &Context<'_>, id: &str) -> Result<Node> {
    let found = match (Uuid::try_parse(id), GlobalId::read(id)) {
        (Ok(uuid), _) => of_gateway(ctx, uuid).await,
        (_, Some(id)) => of_legacy_system(ctx, id).await,
        _ => {
            return Err(Error::bad_input(
                "id",
                "must be the id of an object, as the gateway gave it",
            ));
        }
    };
    // FORBIDDEN would reveal that the object exists.
    found.map_err(|error| match error.code() {
        ErrorCode::Forbidden | ErrorCode::NotFound => unknown(),
        _ => error,
    })
}

fn unknown() -> Error {
    Error::not_found("object")
}

/// Finds an object of the gateway. Its UUID does not reveal its type, so each type is tried in
/// turn.
async fn of_gateway(ctx: &Context<'_>, id: Uuid) -> Result<Node> {
    if let Some(role) = Role::from_id(RoleId(id)) {
        return Ok(Node::Role(role.into()));
    }
    let text = id.to_string();
    let finders = [
        tenant(ctx, &text).boxed(),
        clients::find(ctx, &text).map(|found| found.map(Node::Client)).boxed(),
        users::find(ctx, &text).map(|found| found.map(Node::User)).boxed(),
        crate::upstreams::graphql::find(ctx, &text).map(|found| found.map(Node::Upstream)).boxed(),
        crate::upstreams::graphql::find_link(ctx, LinkId(id))
            .map(|found| found.map(Node::UpstreamLink))
            .boxed(),
        integration_server::find_task(ctx, &text)
            .map(|found| found.map(Node::IntegrationServerTask))
            .boxed(),
        audit::find(ctx, &text).map(|found| found.map(Node::AuditRecord)).boxed(),
    ];
    for finder in finders {
        match finder.await {
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::Forbidden) => {}
            found => return found,
        }
    }
    Err(unknown())
}

async fn tenant(ctx: &Context<'_>, id: &str) -> Result<Node> {
    let scope = request(ctx)?.member_scope();
    Ok(Node::Tenant(service::<Tenants>(ctx)?.find(&scope, id).await?.into()))
}

/// Finds an object of a legacy system, with the permissions in the tenant that it belongs to.
async fn of_legacy_system(ctx: &Context<'_>, id: GlobalId) -> Result<Node> {
    match id.kind {
        NodeKind::DeepSecurity => {
            require_below_context(ctx, TenantId(id.place)).await?;
            deep_security::of_tenant(ctx, TenantId(id.place))
                .await
                .map(|found| Node::DeepSecurity(found.0))
        }
        NodeKind::IntegrationServer => {
            require_below_context(ctx, TenantId(id.place)).await?;
            let found = integration_server::of_tenant_by_id(ctx, TenantId(id.place)).await;
            found.map(Node::IntegrationServer)
        }
        NodeKind::IntegrationServerVirtualMachine => {
            let link = LinkId(id.place);
            let scope = of_link(ctx, link).await?;
            let found = integration_server::find_machine(ctx, &scope, link, &id.remote).await;
            found.map(Node::IntegrationServerVirtualMachine)
        }
        NodeKind::DeepSecurityTenant | NodeKind::IntegrationServerTenant => {
            legacy_tenant(ctx, id).await
        }
        NodeKind::DeepSecurityComputer
        | NodeKind::DeepSecurityPolicy
        | NodeKind::DeepSecurityRole
        | NodeKind::DeepSecurityApiKey => of_deep_security(ctx, id).await,
        NodeKind::IntegrationServerReport => {
            let found = integration_server::find_report(ctx, TaskId(id.place)).await;
            found.map(Node::IntegrationServerReport)
        }
        // An administration server is not found alone: it is a part of its tenant.
        NodeKind::IntegrationServerAdministrationServer => Err(unknown()),
    }
}

async fn of_deep_security(ctx: &Context<'_>, id: GlobalId) -> Result<Node> {
    let scope = of_link(ctx, LinkId(id.place)).await?;
    let manager = deep_security::manager_of(ctx, &scope).await?;
    let text = GlobalId::write(id.kind, id.place, &id.remote);
    Ok(match id.kind {
        NodeKind::DeepSecurityComputer => {
            Node::DeepSecurityComputer(deep_security::computer(ctx, &manager, &text).await?)
        }
        NodeKind::DeepSecurityPolicy => {
            Node::DeepSecurityPolicy(deep_security::policy(ctx, &manager, &text).await?)
        }
        NodeKind::DeepSecurityRole => {
            Node::DeepSecurityRole(deep_security::role(ctx, &manager, &text).await?)
        }
        NodeKind::DeepSecurityApiKey => {
            Node::DeepSecurityApiKey(deep_security::api_key(ctx, &manager, &text).await?)
        }
        _ => return Err(unknown()),
    })
}

/// Finds a tenant of an upstream, which the linked tenant and the owner of the upstream can see.
async fn legacy_tenant(ctx: &Context<'_>, id: GlobalId) -> Result<Node> {
    let upstream = UpstreamId(id.place);
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    let seen = service::<Upstreams>(ctx)?.legacy_tenant(&scope, upstream, &id.remote).await?;
    let (tenant, is_owner) = match seen {
        LegacyTenant::Linked(tenant) => (tenant, false),
        LegacyTenant::OfOwner(tenant) => (tenant, true),
    };
    let scope = scope.within(tenant, Permission::ReadLegacy).await?;
    let owned = is_owner.then_some(upstream);
    if id.kind == NodeKind::DeepSecurityTenant {
        deep_security::tenant(ctx, &scope, owned, &id.remote).await.map(Node::DeepSecurityTenant)
    } else {
        integration_server::find_tenant(ctx, &scope, owned, &id.remote)
            .await
            .map(Node::IntegrationServerTenant)
    }
}

/// Requires that the tenant is the one in context or below it. The caller may have permissions in
/// other tenants too, but an id is looked up only here.
async fn require_below_context(ctx: &Context<'_>, tenant: TenantId) -> Result<()> {
    let scope = request(ctx)?.member_scope();
    service::<Tenants>(ctx)?.find(&scope, &tenant.to_string()).await.map(drop)
}

/// The scope of the tenant that a link belongs to, if the caller can reach it.
async fn of_link(ctx: &Context<'_>, id: LinkId) -> Result<TenantScope> {
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    let link = service::<Upstreams>(ctx)?.find_link(&scope, id).await?;
    scope.within(link.tenant_id, Permission::ReadLegacy).await
}
