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

/// A Deep Security manager, as the tenant sees it. The gateway works with a key of the tenant that
/// may no more than the caller. Lists go by id; `name` takes `%` for any text and everything else
/// literally, letter case ignored. Where the operator lets answers be remembered, what is read may
/// be as old as that; what the tenant changed through the same node is seen at once.
#[Object(name = "DeepSecurity")]
impl DeepSecurityObject {
    /// The global id: opaque, one for each tenant.
    pub async fn id(&self) -> ID {
        ID(GlobalId::write(NodeKind::DeepSecurity, self.scope.tenant().0, ""))
    }

    /// The tenant itself, as the primary manager knows it; null where the installation's own
    /// credential is the tenant's.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Option<TenantObject>> {
        let manager = self.manager()?;
        let Some(id) = manager.remote_tenant()? else { return Ok(None) };
        let primary = manager.primary();
        let found = reading(
            ctx,
            manager.tenant(),
            primary.find::<Tenant>(operation(ctx)?, id, None).boxed(),
        )
        .await?;
        Ok(Some(TenantObject::new(manager, found)))
    }

    /// Computers; `name` is their host name.
    async fn computers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 5000.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this name.")] name: Option<String>,
        #[graphql(name = "where", desc = "Only those for which all of this holds.")]
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

    /// One computer. NOT_FOUND if there is none.
    async fn computer(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> Result<Option<InlineObject<ComputerObject>>> {
        let manager = self.manager()?;
        Ok(Some(InlineObject(ComputerObject::new(
            manager,
            one(ctx, manager, &id, Some(&parts(ctx))).await?,
        ))))
    }

    /// Policies.
    async fn policies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 5000.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this name.")] name: Option<String>,
        #[graphql(name = "where", desc = "Only those for which all of this holds.")]
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

    /// One policy. NOT_FOUND if there is none.
    async fn policy(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> Result<Option<InlineObject<PolicyObject>>> {
        let manager = self.manager()?;
        Ok(Some(InlineObject(PolicyObject::new(
            manager,
            one::<Policy>(ctx, manager, &id, None).await?,
        ))))
    }

    /// Roles of administrators and API keys.
    async fn roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 5000.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this name.")] name: Option<String>,
        #[graphql(name = "where", desc = "Only those for which all of this holds.")]
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

    /// One role. NOT_FOUND if there is none.
    async fn role(&self, ctx: &Context<'_>, id: ID) -> Result<Option<InlineObject<RoleObject>>> {
        let manager = self.manager()?;
        Ok(Some(InlineObject(RoleObject::new(
            manager,
            one::<Role>(ctx, manager, &id, None).await?,
        ))))
    }

    /// API keys, never with their secrets; `name` is their key name.
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 5000.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this name.")] name: Option<String>,
        #[graphql(name = "where", desc = "Only those for which all of this holds.")]
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

    /// One API key, without its secret. NOT_FOUND if there is none.
    async fn api_key(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> Result<Option<InlineObject<ApiKeyObject>>> {
        let manager = self.manager()?;
        Ok(Some(InlineObject(ApiKeyObject::new(manager, one(ctx, manager, &id, None).await?))))
    }

    /// The tenants of an installation. Only for the tenant that owns it: FORBIDDEN for others.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 5000.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this name.")] name: Option<String>,
        #[graphql(name = "where", desc = "Only those for which all of this holds.")]
        criteria: Option<Vec<DeepSecurityCriterion>>,
        #[graphql(name = "upstreamID", desc = "Which installation, if the tenant owns several.")]
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
    /// Deep Security of the tenant in context. Needs the right to read legacy resources.
    /// UPSTREAM_NOT_LINKED if the tenant has no manager.
    async fn deep_security(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<LazyObject<DeepSecurityObject>>> {
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        Ok(Some(LazyObject(DeepSecurityObject::open(ctx, scope).await?)))
    }
}
