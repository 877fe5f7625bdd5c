//! Tenants as objects, found by the references of other objects.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::parser::types::Field;
use async_graphql::{
    Context, ContextSelectionSet, ID, Object, OutputType, Positioned, ServerResult, Value,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::auth::graphql::{access_in, load, request};
use crate::auth::{Access, RequestContext, TenantScope};
use crate::deep_security::graphql::{self as deep_security, DeepSecurityObject, LazyObject};
use crate::error::{Error, Result};
use crate::graph::graphql::{Connection, Page, TenantReference};
use crate::ids::TenantId;
use crate::integration_server::graphql::{self as integration_server, IntegrationServerObject};
use crate::roles::graphql::EffectiveRole;
use crate::tenants::{Tenant, Tenants};
use crate::upstreams::graphql::{UpstreamLinkObject, links_of_tenant};

/// A tenant has one link for each kind of legacy system; the limit is that of all lists of links.
const LINKS_MAX: u64 = 1000;

/// A tenant in the graph.
pub struct TenantObject {
    tenant: Tenant,
    /// Whether it was reached through the links of an upstream.
    within_links: bool,
    /// The caller's access to it, if the list that it stands in has read that for all of its
    /// tenants.
    access: Option<Arc<Access>>,
}

/// A partner, an organization or a customer. Tenants form a tree; a role assigned in a tenant
/// applies to all tenants below it.
#[Object(name = "Tenant")]
impl TenantObject {
    /// The tenant's id. Opaque; unique across types.
    pub async fn id(&self) -> ID {
        self.tenant.id.to_string().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.tenant.name
    }

    /// The id of the parent tenant; null at the top.
    #[graphql(name = "parentTenantID")]
    async fn parent_tenant_id(&self) -> Option<ID> {
        self.tenant.parent_id.map(|id| id.to_string().into())
    }

    /// The parent tenant; null at the top, and if the caller cannot enter it.
    async fn parent(&self) -> Option<TenantReference> {
        self.tenant.parent_id.map(|id| TenantReference { id, within_links: self.within_links })
    }

    /// The nearest partner: the tenant itself or one above it.
    #[graphql(name = "partnerTenantID")]
    async fn partner_tenant_id(&self) -> Option<ID> {
        self.tenant.partner_id.map(|id| id.to_string().into())
    }

    /// The nearest organization: the tenant itself or one above it.
    #[graphql(name = "organizationTenantID")]
    async fn organization_tenant_id(&self) -> Option<ID> {
        self.tenant.organization_id.map(|id| id.to_string().into())
    }

    /// Whether the tenant is a partner, which manages the tenants of customers.
    async fn is_partner(&self) -> bool {
        self.tenant.is_partner
    }

    /// Whether the tenant is an organization, which groups the tenants of a customer.
    async fn is_organization(&self) -> bool {
        self.tenant.is_organization
    }

    /// Whether the tenant can be entered. A disabled tenant is closed together with all tenants
    /// below it, and the tokens of its clients are refused until it is enabled again;
    /// `forceRotateClientSecret` invalidates tokens permanently.
    async fn enabled(&self) -> bool {
        self.tenant.enabled
    }

    /// The maximum age of secrets in this tenant and those below it, in seconds; the strictest
    /// limit of the tenant and those above it applies. Existing secrets are subject to it only if
    /// the caller who set it had authority over the client. Null without a limit.
    async fn max_secret_age(&self) -> Option<i32> {
        self.tenant.max_secret_age_seconds.and_then(|seconds| seconds.try_into().ok())
    }

    /// When the object was created, in RFC 3339.
    async fn created_at(&self) -> String {
        self.tenant.created_at.to_string()
    }

    /// When the tenant was last changed, in RFC 3339.
    async fn updated_at(&self) -> String {
        self.tenant.updated_at.to_string()
    }

    /// The caller's roles in this tenant.
    async fn effective_roles(&self, ctx: &Context<'_>) -> Result<Vec<EffectiveRole>> {
        let request = request(ctx)?;
        let access = match &self.access {
            Some(access) => access.clone(),
            None => access_in(ctx, request, self.tenant.id).await?,
        };
        let scope = request.member_scope();
        Ok(access
            .roles(scope.now())
            .map(|held| EffectiveRole::new(held, self.within_links))
            .collect())
    }

    /// The tenant's links to legacy systems. Requires the permission to read legacy resources.
    async fn upstream_links(&self, ctx: &Context<'_>) -> Result<Option<Vec<UpstreamLinkObject>>> {
        links_of_tenant(ctx, self.tenant.id, self.within_links).await.map(Some)
    }

    /// Lists the tenant's links to legacy systems, oldest first. Requires the permission to read
    /// legacy resources.
    async fn upstream_links_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 1000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<UpstreamLinkObject>>> {
        let page = Page::read(first, after.as_deref(), LINKS_MAX)?;
        let links = links_of_tenant(ctx, self.tenant.id, self.within_links).await?;
        Ok(Some(page.of(links, UpstreamLinkObject::sort_key, |link| link)))
    }

    /// The tenant's Deep Security manager. UPSTREAM_NOT_LINKED if the tenant has none. Across
    /// several tenants, each failure is null with its own error. Requires the permission to read
    /// legacy resources in the tenant.
    async fn deep_security(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<LazyObject<DeepSecurityObject>>> {
        Ok(Some(deep_security::of_tenant(ctx, self.tenant.id).await?))
    }

    /// The tenant's Integration Server. UPSTREAM_NOT_LINKED if the tenant is not linked to one and
    /// owns none. Requires the permission to read legacy resources in the tenant.
    async fn integration_server(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<IntegrationServerObject>> {
        integration_server::of_tenant(ctx, self.tenant.id).await.map(Some)
    }
}

impl TenantObject {
    /// The tenant of a list, with the caller's access to it if that was read.
    pub(super) fn listed(tenant: Tenant, access: Option<Arc<Access>>) -> Self {
        Self { tenant, within_links: false, access }
    }
}

/// Resolves what other objects refer to as a tenant: null for one that the caller may not enter.
pub fn resolve<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    field: &'a Positioned<Field>,
    reference: TenantReference,
) -> BoxFuture<'a, ServerResult<Value>> {
    let resolve = async move {
        match find(ctx, reference.id).await {
            Ok(Some(tenant)) => {
                let within_links = reference.within_links;
                TenantObject { tenant, within_links, access: None }.resolve(ctx, field).await
            }
            Ok(None) => Ok(Value::Null),
            Err(error) => {
                Err(ctx
                    .set_error_path(async_graphql::Error::from(error).into_server_error(field.pos)))
            }
        }
    };
    resolve.boxed()
}

async fn find(ctx: &ContextSelectionSet<'_>, id: TenantId) -> Result<Option<Tenant>> {
    let missing = || Error::internal("a request without context or tenants was executed");
    let request = ctx.data_opt::<RequestContext>().ok_or_else(missing)?;
    let tenants = ctx.data_opt::<Arc<Tenants>>().ok_or_else(missing)?;
    let scope = request.member_scope();
    let make = || TenantLoader { tenants: tenants.clone(), scope: scope.clone() };
    load(ctx, &scope, id, make).await
}

/// Tenants that other objects refer to.
struct TenantLoader {
    tenants: Arc<Tenants>,
    scope: TenantScope,
}

impl Loader<TenantId> for TenantLoader {
    type Value = Tenant;
    type Error = Error;

    async fn load(&self, ids: &[TenantId]) -> Result<HashMap<TenantId, Tenant>> {
        let found = self.tenants.find_each(&self.scope, ids).await?;
        Ok(found.into_iter().map(|tenant| (tenant.id, tenant)).collect())
    }
}

impl From<Tenant> for TenantObject {
    fn from(tenant: Tenant) -> Self {
        Self { tenant, within_links: false, access: None }
    }
}
