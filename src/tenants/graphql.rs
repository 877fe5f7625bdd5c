//! Tenants in the graph, in the shape of the Taegis API's `tenants4`
//! (`docs/reference/taegis-client-contract.md`, section 9).

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::parser::types::Field;
use async_graphql::{
    Context, ContextSelectionSet, Enum, ID, InputObject, MaybeUndefined, Object, OutputType,
    Positioned, ServerResult, SimpleObject, Value,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::model::{self, NewTenant, Order, OrderBy, Place, TenantChange, TenantFilter};
use super::{Tenant, Tenants};
use crate::auth::graphql::{access_in, load, request, service};
use crate::auth::{RequestContext, TenantScope};
use crate::deep_security::graphql::{self as deep_security, DeepSecurityObject, LazyObject};
use crate::error::{Error, Result};
use crate::graph::graphql::{Connection, Page, TenantReference};
use crate::ids::TenantId;
use crate::integration_server::graphql::{self as integration_server, IntegrationServerObject};
use crate::names::{Name, NamePattern};
use crate::paging::{cursor, page_size_up_to, read_cursor};
use crate::roles::Permission;
use crate::roles::graphql::EffectiveRole;
use crate::upstreams::graphql::{UpstreamLinkObject, links_of_tenant};

/// Lists of ids and names are cut short before they become a statement of any length.
const LIST_MAX: usize = 1000;

/// A tenant has one link for each kind of legacy system; the limit is that of all lists of links.
const LINKS_MAX: u64 = 1000;

/// One query over all customers of a large partner fits on a page.
const PAGE_MAX: u64 = 500;

/// A tenant in the graph, and whether it was reached through the links of an upstream.
pub struct TenantObject(Tenant, bool);

/// A partner, an organization or a customer. Tenants form a tree; a role assigned in a tenant
/// applies to all tenants below it.
#[Object(name = "Tenant")]
impl TenantObject {
    /// The tenant's id. Opaque; unique across types.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The id of the parent tenant; null at the top.
    #[graphql(name = "parentTenantID")]
    async fn parent_tenant_id(&self) -> Option<ID> {
        self.0.parent_id.map(|id| id.to_string().into())
    }

    /// The parent tenant; null at the top, and if the caller cannot enter it.
    async fn parent(&self) -> Option<TenantReference> {
        self.0.parent_id.map(|id| TenantReference { id, within_links: self.1 })
    }

    /// The nearest partner: the tenant itself or one above it.
    #[graphql(name = "partnerTenantID")]
    async fn partner_tenant_id(&self) -> Option<ID> {
        self.0.partner_id.map(|id| id.to_string().into())
    }

    /// The nearest organization: the tenant itself or one above it.
    #[graphql(name = "organizationTenantID")]
    async fn organization_tenant_id(&self) -> Option<ID> {
        self.0.organization_id.map(|id| id.to_string().into())
    }

    /// Whether the tenant is a partner, which manages the tenants of customers.
    async fn is_partner(&self) -> bool {
        self.0.is_partner
    }

    /// Whether the tenant is an organization, which groups the tenants of a customer.
    async fn is_organization(&self) -> bool {
        self.0.is_organization
    }

    /// Whether the tenant can be entered. A disabled tenant is closed together with all tenants
    /// below it, and the tokens of its clients are refused until it is enabled again;
    /// `forceRotateClientSecret` invalidates tokens permanently.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// The maximum age of secrets in this tenant and those below it, in seconds; the strictest
    /// limit of the tenant and those above it applies. Existing secrets are subject to it only if
    /// the caller who set it had authority over the client. Null without a limit.
    async fn max_secret_age(&self) -> Option<i32> {
        self.0.max_secret_age_seconds.and_then(|seconds| seconds.try_into().ok())
    }

    /// When the object was created, in RFC 3339.
    async fn created_at(&self) -> String {
        self.0.created_at.to_string()
    }

    /// When the tenant was last changed, in RFC 3339.
    async fn updated_at(&self) -> String {
        self.0.updated_at.to_string()
    }

    /// The caller's roles in this tenant.
    async fn effective_roles(&self, ctx: &Context<'_>) -> Result<Vec<EffectiveRole>> {
        let request = request(ctx)?;
        let access = access_in(ctx, request, self.0.id).await?;
        let scope = request.member_scope();
        Ok(access.roles(scope.now()).map(|held| EffectiveRole::new(held, self.1)).collect())
    }

    /// The tenant's links to legacy systems. Requires the permission to read legacy resources.
    async fn upstream_links(&self, ctx: &Context<'_>) -> Result<Option<Vec<UpstreamLinkObject>>> {
        links_of_tenant(ctx, self.0.id, self.1).await.map(Some)
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
        let links = links_of_tenant(ctx, self.0.id, self.1).await?;
        Ok(Some(page.of(links, UpstreamLinkObject::sort_key, |link| link)))
    }

    /// The tenant's Deep Security manager. UPSTREAM_NOT_LINKED if the tenant has none. Across
    /// several tenants, each failure is null with its own error. Requires the permission to read
    /// legacy resources in the tenant.
    async fn deep_security(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<LazyObject<DeepSecurityObject>>> {
        Ok(Some(deep_security::of_tenant(ctx, self.0.id).await?))
    }

    /// The tenant's Integration Server. UPSTREAM_NOT_LINKED if the tenant is not linked to one and
    /// owns none. Requires the permission to read legacy resources in the tenant.
    async fn integration_server(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<IntegrationServerObject>> {
        integration_server::of_tenant(ctx, self.0.id).await.map(Some)
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
                TenantObject(tenant, reference.within_links).resolve(ctx, field).await
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
        Self(tenant, false)
    }
}

/// A page of tenants.
#[derive(SimpleObject)]
pub struct TenantResults {
    /// The cursor of the page's last tenant, for `afterCursor`; null on an empty page.
    cursor_pos: Option<String>,
    /// The number of tenants on this page.
    count: i32,
    /// Whether more tenants follow this page.
    has_more: bool,
    /// The number of tenants that match the query.
    total_count: Option<i32>,
    /// The position of the page's first tenant in the list, starting at 0; null on an empty page.
    first_index: Option<i32>,
    /// The position of the page's last tenant in the list, starting at 0; null on an empty page.
    last_index: Option<i32>,
    /// The tenants.
    tenants: Vec<TenantObject>,
}

/// The field to order tenants by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum TenantResultOrder {
    /// By id.
    Id,
    /// By name, case-insensitive. The default.
    Name,
    /// By creation time.
    CreatedAt,
    /// By the time of the last change.
    UpdatedAt,
    /// By the nearest partner.
    PartnerTenantId,
    /// By the nearest organization.
    OrganizationTenantId,
    /// Not supported: BAD_USER_INPUT.
    HasSupportEnabled,
}

/// A sort direction.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDir {
    /// Ascending.
    Asc,
    /// Descending.
    Desc,
}

/// A filter by label. Not supported.
#[derive(InputObject)]
pub struct TenantLabelMatcher {
    /// The label's name.
    name: Option<String>,
    /// The label's value.
    value: Option<String>,
}

/// A filter by subscription. Not supported.
#[derive(InputObject)]
pub struct SubscriptionMatcher {
    /// The subscription's name.
    name: Option<String>,
    /// The subscription's id.
    id: Option<String>,
    /// Whether the subscription is only requested.
    is_requested: Option<bool>,
}

/// Filters, order and page of `tenants`. A tenant must match every filter; within a list, any
/// entry. The input has every field that the Taegis SDK may send; unsupported ones are refused with
/// BAD_USER_INPUT, since ignoring a filter would return too much.
#[derive(Default, InputObject)]
pub struct TenantsQuery {
    /// By id.
    ids: Option<Vec<String>>,
    /// Returns tenants whose name matches. `*` matches any text; case-insensitive.
    names: Option<Vec<String>>,
    /// Returns partners, or tenants that are not.
    is_partner_root: Option<bool>,
    /// Returns organizations, or tenants that are not.
    is_organization: Option<bool>,
    /// Returns these tenants and those below them.
    hierarchies: Option<Vec<String>>,
    /// By the nearest partner.
    partners: Option<Vec<String>>,
    /// By the nearest organization.
    organizations: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    mdr_providers: Option<Vec<String>>,
    /// Returns tenants that are enabled, or that are not.
    enabled: Option<bool>,
    /// Not supported: BAD_USER_INPUT.
    support_enabled: Option<bool>,
    /// Returns tenants after this `cursorPos`.
    after_cursor: Option<String>,
    /// Not supported: BAD_USER_INPUT.
    before_cursor: Option<String>,
    /// The page size, 1 to 500. Default: 50.
    count: Option<i32>,
    /// Not supported: BAD_USER_INPUT.
    cql: Option<String>,
    /// Not supported: BAD_USER_INPUT.
    read_partner_roots: Option<bool>,
    /// Not supported: BAD_USER_INPUT.
    enabled_in_environments: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    labels_match: Option<Vec<TenantLabelMatcher>>,
    /// Not supported: BAD_USER_INPUT.
    subscriptions_match: Option<Vec<SubscriptionMatcher>>,
    /// The field to order by.
    order_by: Option<TenantResultOrder>,
    /// The sort direction.
    order_dir: Option<OrderDir>,
    /// Not supported: BAD_USER_INPUT.
    license_level: Option<String>,
    /// Not supported: BAD_USER_INPUT.
    license_capabilities_any: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    license_capabilities_all: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    license_capabilities_none: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    #[graphql(deprecation = "use hierarchies")]
    hierarchy_paths: Option<Vec<String>>,
    /// Returns tenants after this `cursorPos`.
    #[graphql(deprecation = "use afterCursor")]
    cursor_pos: Option<String>,
    /// Not supported: BAD_USER_INPUT.
    #[graphql(deprecation = "use enabledInEnvironments")]
    enabled_in: Option<Vec<String>>,
}

impl TenantsQuery {
    fn refuse_what_is_not_offered(&self) -> Result<()> {
        fn any<T>(list: &Option<Vec<T>>) -> bool {
            list.as_ref().is_some_and(|list| !list.is_empty())
        }
        let given = [
            ("mdrProviders", any(&self.mdr_providers)),
            ("supportEnabled", self.support_enabled.is_some()),
            ("beforeCursor", self.before_cursor.is_some()),
            ("cql", self.cql.is_some()),
            ("readPartnerRoots", self.read_partner_roots == Some(true)),
            ("enabledInEnvironments", any(&self.enabled_in_environments)),
            ("labelsMatch", any(&self.labels_match)),
            ("subscriptionsMatch", any(&self.subscriptions_match)),
            ("licenseLevel", self.license_level.is_some()),
            ("licenseCapabilitiesAny", any(&self.license_capabilities_any)),
            ("licenseCapabilitiesAll", any(&self.license_capabilities_all)),
            ("licenseCapabilitiesNone", any(&self.license_capabilities_none)),
            ("hierarchyPaths", any(&self.hierarchy_paths)),
            ("enabledIn", any(&self.enabled_in)),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::bad_input(name, "is not offered by this gateway")),
            None => Ok(()),
        }
    }

    fn order(&self) -> Result<Order> {
        let by = match self.order_by {
            None | Some(TenantResultOrder::Name) => OrderBy::Name,
            Some(TenantResultOrder::Id) => OrderBy::Id,
            Some(TenantResultOrder::CreatedAt) => OrderBy::CreatedAt,
            Some(TenantResultOrder::UpdatedAt) => OrderBy::UpdatedAt,
            Some(TenantResultOrder::PartnerTenantId) => OrderBy::Partner,
            Some(TenantResultOrder::OrganizationTenantId) => OrderBy::Organization,
            Some(TenantResultOrder::HasSupportEnabled) => {
                return Err(Error::bad_input(
                    "orderBy",
                    "HAS_SUPPORT_ENABLED is not offered by this gateway",
                ));
            }
        };
        Ok(Order { by, descending: self.order_dir == Some(OrderDir::Desc) })
    }

    fn filter(&self) -> Result<TenantFilter> {
        let names = self.names.as_ref().map(|names| {
            at_most("names", names)?
                .iter()
                .map(|name| NamePattern::parse("names", name, '*'))
                .collect::<Result<Vec<_>>>()
        });
        Ok(TenantFilter {
            ids: ids("ids", self.ids.as_ref())?,
            names: names.transpose()?,
            is_partner: self.is_partner_root,
            is_organization: self.is_organization,
            enabled: self.enabled,
            below: ids("hierarchies", self.hierarchies.as_ref())?,
            partners: ids("partners", self.partners.as_ref())?,
            organizations: ids("organizations", self.organizations.as_ref())?,
        })
    }
}

fn at_most<'a, T>(argument: &str, list: &'a [T]) -> Result<&'a [T]> {
    if list.len() > LIST_MAX {
        return Err(Error::bad_input(argument, "must have at most 1000 entries"));
    }
    Ok(list)
}

/// A malformed id finds nothing, like a foreign one.
fn ids(argument: &str, list: Option<&Vec<String>>) -> Result<Option<Vec<TenantId>>> {
    let parse = |list: &Vec<String>| {
        Ok(at_most(argument, list)?.iter().filter_map(|id| id.parse().ok()).collect())
    };
    list.map(parse).transpose()
}

/// The tenant that a request runs in.
#[derive(SimpleObject)]
pub struct RequestTenantContext {
    /// The nearest partner: the tenant itself or one above it.
    #[graphql(name = "partnerTenantID")]
    partner_tenant_id: Option<ID>,
    /// The nearest organization: the tenant itself or one above it.
    #[graphql(name = "organizationTenantID")]
    organization_tenant_id: Option<ID>,
    /// The id of the tenant in context, as a list of one.
    #[graphql(name = "tenantIDs")]
    tenant_ids: Vec<ID>,
}

#[derive(Default)]
pub struct TenantQuery;

#[Object]
impl TenantQuery {
    /// Returns the tenant in context or one below it. NOT_FOUND for any other.
    async fn tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant's id.")] id: ID,
    ) -> Result<Option<TenantObject>> {
        let scope = request(ctx)?.member_scope();
        Ok(Some(service::<Tenants>(ctx)?.find(&scope, &id).boxed().await?.into()))
    }

    /// Lists the tenants that the caller can enter: the tenant in context and those below it.
    /// Disabled tenants are included for callers with the permission to manage tenants.
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Filters, order and page.")] tenants_query: Option<TenantsQuery>,
    ) -> Result<Option<TenantResults>> {
        let scope = request(ctx)?.member_scope();
        let tenants = service::<Tenants>(ctx)?;
        let query = tenants_query.unwrap_or_default();
        query.refuse_what_is_not_offered()?;
        let filter = query.filter()?;
        let order = query.order()?;
        let after = query.after_cursor.as_deref().or(query.cursor_pos.as_deref());
        let after = after.map(|after| read_cursor::<Place>("afterCursor", after)).transpose()?;
        let count = page_size_up_to(query.count, PAGE_MAX);
        let page = tenants.list(&scope, &filter, order, after, count).boxed().await?;
        let total_count = match ctx.look_ahead().field("totalCount").exists() {
            true => Some(number(tenants.count(&scope, &filter).boxed().await?)),
            false => None,
        };
        let last_index = page.offset.saturating_add(page.tenants.len() as u64).checked_sub(1);
        let last = page.tenants.last().zip(last_index);
        Ok(Some(TenantResults {
            cursor_pos: last.map(|(last, index)| cursor(&(index, order.by.value(last), last.id))),
            count: number(page.tenants.len() as u64),
            has_more: page.has_more,
            total_count,
            first_index: last.map(|_| number(page.offset)),
            last_index: last.map(|(_, index)| number(index)),
            tenants: page.tenants.into_iter().map(TenantObject::from).collect(),
        }))
    }

    /// Returns the tenant that the request runs in: the tenant of the header `X-Tenant-Context`, by
    /// default the client's own.
    async fn request_tenant_context(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<RequestTenantContext>> {
        let scope = request(ctx)?.member_scope();
        let tenant =
            service::<Tenants>(ctx)?.find(&scope, &scope.tenant().to_string()).boxed().await?;
        let id = |id: TenantId| ID::from(id.to_string());
        Ok(Some(RequestTenantContext {
            partner_tenant_id: tenant.partner_id.map(id),
            organization_tenant_id: tenant.organization_id.map(id),
            tenant_ids: vec![id(tenant.id)],
        }))
    }
}

/// GraphQL numbers end at 2^31-1; no list here comes near.
fn number(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A tenant to create.
#[derive(InputObject)]
pub struct TenantCreateInput {
    /// The name, 1 to 255 characters without control characters; surrounding space is trimmed.
    name: String,
    /// The id of the parent tenant. Default: the tenant in context.
    #[graphql(name = "parentTenantID")]
    parent_tenant_id: Option<ID>,
    /// Whether the tenant is a partner, which manages the tenants of customers. Default: false.
    is_partner: Option<bool>,
    /// Whether the tenant is an organization, which groups the tenants of a customer. Default:
    /// false.
    is_organization: Option<bool>,
}

/// Changes of a tenant. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct TenantUpdateInput {
    /// The new name, 1 to 255 characters.
    name: Option<String>,
    /// Whether the tenant and those below it can be entered.
    enabled: Option<bool>,
    /// The maximum age of secrets in the tenant and those below it, in seconds, 60 to 315360000;
    /// null removes the limit. It applies to existing and new secrets; a longer limit does not
    /// revive expired secrets. Existing secrets of a client with more permissions, or with
    /// permissions for longer, than the caller has are not affected; its next secret is.
    max_secret_age: MaybeUndefined<i32>,
}

#[derive(Default)]
pub struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Creates a tenant below the tenant in context. NOT_FOUND for a parent outside the tenant in
    /// context. CONFLICT if a tenant above has as many tenants as the settings `quotas.*` allow.
    /// Requires the permission to manage tenants.
    async fn create_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant to create.")] new_tenant: TenantCreateInput,
    ) -> Result<Option<TenantObject>> {
        let scope = request(ctx)?.scope(Permission::ManageTenants)?;
        let parent = new_tenant
            .parent_tenant_id
            .map(|id| id.parse().map_err(|_| Error::not_found("tenant")));
        let new = NewTenant {
            name: Name::parse("name", &new_tenant.name)?,
            parent: parent.transpose()?,
            is_partner: new_tenant.is_partner.unwrap_or(false),
            is_organization: new_tenant.is_organization.unwrap_or(false),
        };
        Ok(Some(service::<Tenants>(ctx)?.create(&scope, new).await?.into()))
    }

    /// Renames, enables or disables a tenant, or limits the age of its secrets. CONFLICT for
    /// disabling the tenant in context, and for a change that would lock out the last administrator
    /// of a tenant. Requires the permission to manage tenants.
    async fn update_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant's id.", name = "tenantID")] tenant_id: ID,
        #[graphql(desc = "The changes.")] tenant_update: TenantUpdateInput,
    ) -> Result<Option<TenantObject>> {
        let scope = request(ctx)?.scope(Permission::ManageTenants)?;
        let max_secret_age = match tenant_update.max_secret_age {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(seconds) => Some(Some(model::secret_age(seconds)?)),
        };
        let name =
            tenant_update.name.as_deref().map(|name| Name::parse("name", name)).transpose()?;
        let change = TenantChange { name, enabled: tenant_update.enabled, max_secret_age };
        Ok(Some(service::<Tenants>(ctx)?.update(&scope, &tenant_id, change).await?.into()))
    }
}
