//! Reading.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use futures_util::FutureExt;

use super::computer::ComputerObject;
use super::connection::{
    ApiKeyConnection, ComputerConnection, PolicyConnection, RoleConnection, TenantConnection,
};
use super::criteria::DeepSecurityCriterion;
use super::inline_resolve::{InlineObject, LazyObject};
use super::key::ApiKeyObject;
use super::policy::PolicyObject;
use super::reading::{ListArguments, many, one, parts, parts_of_nodes, reading};
use super::role::RoleObject;
use super::tenant::TenantObject;
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, request, scope_within, service};
use crate::deep_security::DeepSecurity;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::{ApiKey, Computer, Policy, Role, Tenant};
use crate::error::{Error, ErrorCode, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::TenantId;
use crate::roles::Permission;

/// Deep Security of one tenant in the graph.
pub struct DeepSecurityObject {
    scope: TenantScope,
    manager: Result<Arc<Manager>>,
}

impl DeepSecurityObject {
    /// Deep Security of the scope's tenant.
    async fn open(ctx: &Context<'_>, scope: TenantScope) -> Result<Self> {
        let service = service::<DeepSecurity>(ctx)?;
        match service.manager(&scope).await {
            // Who owns an installation may ask for its tenants, without being one of them.
            Err(error)
                if error.code() == ErrorCode::UpstreamNotLinked
                    && service.owns_one(&scope).boxed().await? =>
            {
                Ok(Self { scope, manager: Err(error) })
            }
            manager => Ok(Self { scope, manager: Ok(Arc::new(manager?.cached())) }),
        }
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
        let asked = manager.remote_tenant_object(operation(ctx)?).boxed();
        let found = reading(ctx, manager.tenant(), asked).await?;
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
    ) -> Result<Option<InlineObject<Arc<ComputerConnection>>>> {
        let (manager, expand) = (self.manager()?, Some(parts_of_nodes(ctx)));
        let wanted = ListArguments {
            first,
            after: after.as_deref(),
            name: name.as_deref(),
            criteria,
            expand,
        };
        Ok(Some(InlineObject(
            many::<Computer, _>(ctx, manager, wanted, ComputerConnection::new).await?,
        )))
    }

    /// Returns a computer. NOT_FOUND if it does not exist.
    async fn computer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The computer's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<InlineObject<ComputerObject>>> {
        let manager = self.manager()?;
        Ok(Some(InlineObject(ComputerObject::new(
            manager,
            one(ctx, manager, &id, Some(&parts(ctx))).await?,
        ))))
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
    ) -> Result<Option<InlineObject<Arc<PolicyConnection>>>> {
        let manager = self.manager()?;
        let wanted = ListArguments {
            first,
            after: after.as_deref(),
            name: name.as_deref(),
            criteria,
            expand: None,
        };
        Ok(Some(InlineObject(
            many::<Policy, _>(ctx, manager, wanted, PolicyConnection::new).await?,
        )))
    }

    /// Returns a policy. NOT_FOUND if it does not exist.
    async fn policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<InlineObject<PolicyObject>>> {
        let manager = self.manager()?;
        Ok(Some(InlineObject(PolicyObject::new(
            manager,
            one::<Policy>(ctx, manager, &id, None).await?,
        ))))
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
    ) -> Result<Option<InlineObject<Arc<RoleConnection>>>> {
        let manager = self.manager()?;
        let wanted = ListArguments {
            first,
            after: after.as_deref(),
            name: name.as_deref(),
            criteria,
            expand: None,
        };
        Ok(Some(InlineObject(many::<Role, _>(ctx, manager, wanted, RoleConnection::new).await?)))
    }

    /// Returns a role. NOT_FOUND if it does not exist.
    async fn role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<InlineObject<RoleObject>>> {
        let manager = self.manager()?;
        Ok(Some(InlineObject(RoleObject::new(
            manager,
            one::<Role>(ctx, manager, &id, None).await?,
        ))))
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
    ) -> Result<Option<InlineObject<Arc<ApiKeyConnection>>>> {
        let manager = self.manager()?;
        let wanted = ListArguments {
            first,
            after: after.as_deref(),
            name: name.as_deref(),
            criteria,
            expand: None,
        };
        Ok(Some(InlineObject(
            many::<ApiKey, _>(ctx, manager, wanted, ApiKeyConnection::new).await?,
        )))
    }

    /// Returns an API key, without its secret. NOT_FOUND if it does not exist.
    async fn api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<InlineObject<ApiKeyObject>>> {
        let manager = self.manager()?;
        Ok(Some(InlineObject(ApiKeyObject::new(manager, one(ctx, manager, &id, None).await?))))
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
    ) -> Result<Option<InlineObject<Arc<TenantConnection>>>> {
        let upstream = upstream_id.as_deref().map(String::as_str);
        let manager =
            Arc::new(service::<DeepSecurity>(ctx)?.owned(&self.scope, upstream).boxed().await?);
        let wanted = ListArguments {
            first,
            after: after.as_deref(),
            name: name.as_deref(),
            criteria,
            expand: None,
        };
        Ok(Some(InlineObject(
            many::<Tenant, _>(ctx, &manager, wanted, TenantConnection::new).await?,
        )))
    }
}

/// Deep Security of a tenant that the caller may enter: what `Tenant.deepSecurity` answers.
///
/// # Errors
/// `FORBIDDEN` without the right to read legacy resources there, `UPSTREAM_NOT_LINKED` if the
/// tenant has no manager.
pub async fn of_tenant(
    ctx: &Context<'_>,
    tenant: TenantId,
) -> Result<LazyObject<DeepSecurityObject>> {
    let scope = scope_within(ctx, tenant, Permission::ReadLegacy).await?;
    DeepSecurityObject::open(ctx, scope).await.map(LazyObject)
}

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
