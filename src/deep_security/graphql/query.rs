//! Queries.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use futures_util::FutureExt;

use super::computer::ComputerObject;
use super::criteria::DeepSecurityCriterion;
use super::fetch::in_slot;
use super::inline_resolve::LazyObject;
use super::key::ApiKeyObject;
use super::list::{List, ListArguments, list};
use super::object::object;
use super::policy::PolicyObject;
use super::role::RoleObject;
use super::tenant::TenantObject;
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, request, scope_within, service};
use crate::deep_security::DeepSecurity;
use crate::deep_security::manager::Manager;
use crate::error::{Error, ErrorCode, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::graph::graphql::Projected;
use crate::ids::TenantId;
use crate::roles::Permission;

/// Deep Security of one tenant. A tenant that owns an installation and is not linked to one has no
/// manager, only the list of the installation's tenants.
pub struct DeepSecurityObject {
    scope: TenantScope,
    manager: Result<Arc<Manager>>,
}

impl DeepSecurityObject {
    /// Deep Security of the scope's tenant.
    async fn open(ctx: &Context<'_>, scope: TenantScope) -> Result<Self> {
        let service = service::<DeepSecurity>(ctx)?;
        let manager = match service.manager(&scope).await {
            Ok(manager) => Ok(Arc::new(manager.cached())),
            Err(error) => {
                let is_unlinked = error.code() == ErrorCode::UpstreamNotLinked;
                if !is_unlinked || !service.owns_installation(&scope).boxed().await? {
                    return Err(error);
                }
                Err(error)
            }
        };
        Ok(Self { scope, manager })
    }

    fn manager(&self) -> Result<&Arc<Manager>> {
        self.manager.as_ref().map_err(Error::clone)
    }
}

/// The tenant's view of a Deep Security manager. The gateway uses an API key of the tenant with no
/// more rights than the caller has. Lists are ordered by id. If the operator enables caching, data
/// may be as old as the configured TTL; changes that the tenant makes through the same node are
/// visible immediately.
#[Object(name = "DeepSecurity")]
impl DeepSecurityObject {
    /// The global id. Opaque; one for each tenant.
    pub async fn id(&self) -> ID {
        ID(GlobalId::write(NodeKind::DeepSecurity, self.scope.tenant().0, ""))
    }

    /// The tenant as the primary manager knows it; null if the upstream's own credential belongs to
    /// the tenant.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Option<TenantObject>> {
        let manager = self.manager()?;
        let find = manager.remote_tenant_object(operation(ctx)?).boxed();
        let found = in_slot(ctx, manager.tenant(), find).await?;
        Ok(found.map(|found| TenantObject::new(manager, found)))
    }

    /// Lists computers.
    async fn computers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 5000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Returns items whose name matches: the host name of a computer, the key name of \
                an API key. `%` matches any text; case-insensitive."
        )]
        name: Option<String>,
        #[graphql(name = "where", desc = "Returns items that match all of these criteria.")]
        criteria: Option<Vec<DeepSecurityCriterion>>,
    ) -> Result<Option<List<ComputerObject>>> {
        let arguments = ListArguments { first, after, name, criteria };
        list(ctx, self.manager()?, arguments).await
    }

    /// Returns a computer. NOT_FOUND if it does not exist.
    async fn computer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The computer's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<Projected<ComputerObject>>> {
        object(ctx, self.manager()?, &id).await
    }

    /// Lists policies.
    async fn policies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 5000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Returns items whose name matches: the host name of a computer, the key name of \
                an API key. `%` matches any text; case-insensitive."
        )]
        name: Option<String>,
        #[graphql(name = "where", desc = "Returns items that match all of these criteria.")]
        criteria: Option<Vec<DeepSecurityCriterion>>,
    ) -> Result<Option<List<PolicyObject>>> {
        list(ctx, self.manager()?, ListArguments { first, after, name, criteria }).await
    }

    /// Returns a policy. NOT_FOUND if it does not exist.
    async fn policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<Projected<PolicyObject>>> {
        object(ctx, self.manager()?, &id).await
    }

    /// Lists the roles of administrators and API keys.
    async fn roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 5000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Returns items whose name matches: the host name of a computer, the key name of \
                an API key. `%` matches any text; case-insensitive."
        )]
        name: Option<String>,
        #[graphql(name = "where", desc = "Returns items that match all of these criteria.")]
        criteria: Option<Vec<DeepSecurityCriterion>>,
    ) -> Result<Option<List<RoleObject>>> {
        list(ctx, self.manager()?, ListArguments { first, after, name, criteria }).await
    }

    /// Returns a role. NOT_FOUND if it does not exist.
    async fn role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<Projected<RoleObject>>> {
        object(ctx, self.manager()?, &id).await
    }

    /// Lists API keys, without their secrets.
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 5000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Returns items whose name matches: the host name of a computer, the key name of \
                an API key. `%` matches any text; case-insensitive."
        )]
        name: Option<String>,
        #[graphql(name = "where", desc = "Returns items that match all of these criteria.")]
        criteria: Option<Vec<DeepSecurityCriterion>>,
    ) -> Result<Option<List<ApiKeyObject>>> {
        list(ctx, self.manager()?, ListArguments { first, after, name, criteria }).await
    }

    /// Returns an API key, without its secret. NOT_FOUND if it does not exist.
    async fn api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<Projected<ApiKeyObject>>> {
        object(ctx, self.manager()?, &id).await
    }

    /// Lists the tenants of an installation. FORBIDDEN unless the tenant in context owns it.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 5000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Returns items whose name matches: the host name of a computer, the key name of \
                an API key. `%` matches any text; case-insensitive."
        )]
        name: Option<String>,
        #[graphql(name = "where", desc = "Returns items that match all of these criteria.")]
        criteria: Option<Vec<DeepSecurityCriterion>>,
        #[graphql(
            name = "upstreamID",
            desc = "The id of the upstream. Required if the tenant owns several."
        )]
        upstream_id: Option<ID>,
    ) -> Result<Option<List<TenantObject>>> {
        let service = service::<DeepSecurity>(ctx)?;
        let upstream = upstream_id.as_deref().map(String::as_str);
        let manager = Arc::new(service.owned(&self.scope, upstream).boxed().await?);
        list(ctx, &manager, ListArguments { first, after, name, criteria }).await
    }
}

/// Deep Security of a tenant within the caller's reach: the resolver of `Tenant.deepSecurity`.
///
/// # Errors
/// `FORBIDDEN` without the permission to read legacy resources there, `UPSTREAM_NOT_LINKED` if the
/// tenant has no manager.
pub async fn of_tenant(
    ctx: &Context<'_>,
    tenant: TenantId,
) -> Result<LazyObject<DeepSecurityObject>> {
    let scope = scope_within(ctx, tenant, Permission::ReadLegacy).await?;
    DeepSecurityObject::open(ctx, scope).await.map(LazyObject)
}

/// Queries of Deep Security.
#[derive(Default)]
pub struct DeepSecurityQuery;

#[Object]
impl DeepSecurityQuery {
    /// Returns the Deep Security manager of the tenant in context. UPSTREAM_NOT_LINKED if the
    /// tenant has none. Requires the permission to read legacy resources.
    async fn deep_security(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<LazyObject<DeepSecurityObject>>> {
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        Ok(Some(LazyObject(DeepSecurityObject::open(ctx, scope).await?)))
    }
}
