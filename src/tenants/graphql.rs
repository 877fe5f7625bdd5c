//! Tenants in the graph, in the shape of the Taegis API's `tenants4`
//! (`docs/reference/taegis-client-contract.md`, section 9).

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::connection::Connection;
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
use crate::graph::graphql::{Page, TenantReference, Total};
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

/// A partner, an organisation or a customer. Tenants form a tree, and a role held in one applies in
/// all below it.
#[Object(name = "Tenant")]
impl TenantObject {
    /// The tenant's id; opaque.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The tenant directly above; absent at the top.
    #[graphql(name = "parentTenantID")]
    async fn parent_tenant_id(&self) -> Option<ID> {
        self.0.parent_id.map(|id| id.to_string().into())
    }

    /// The tenant directly above; null at the top, and where the caller may not enter it.
    async fn parent(&self) -> Option<TenantReference> {
        self.0.parent_id.map(|id| TenantReference { id, within_links: self.1 })
    }

    /// The nearest partner: the tenant itself if it is one, else one above.
    #[graphql(name = "partnerTenantID")]
    async fn partner_tenant_id(&self) -> Option<ID> {
        self.0.partner_id.map(|id| id.to_string().into())
    }

    /// The nearest organisation: the tenant itself if it is one, else one above.
    #[graphql(name = "organizationTenantID")]
    async fn organization_tenant_id(&self) -> Option<ID> {
        self.0.organization_id.map(|id| id.to_string().into())
    }

    /// Whether it manages tenants of customers.
    async fn is_partner(&self) -> bool {
        self.0.is_partner
    }

    /// Whether it holds the tenants of one customer together.
    async fn is_organization(&self) -> bool {
        self.0.is_organization
    }

    /// Whether it can be entered. Disabled, it is closed with all below it, and the tokens of its
    /// clients are refused until it is enabled again; to end a token for good, rotate its client by
    /// `forceRotateClientSecret`.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// The greatest age of a secret here and below, in seconds; the strictest limit on the way up
    /// counts. A secret that existed when the limit was set falls under it only if whoever set it
    /// had authority over the client. Absent: no limit of its own.
    async fn max_secret_age(&self) -> Option<i32> {
        self.0.max_secret_age_seconds.and_then(|seconds| seconds.try_into().ok())
    }

    /// When it was made, in RFC 3339.
    async fn created_at(&self) -> String {
        self.0.created_at.to_string()
    }

    /// When it was last changed, in RFC 3339.
    async fn updated_at(&self) -> String {
        self.0.updated_at.to_string()
    }

    /// What the caller may do here, and through which tenant.
    async fn effective_roles(&self, ctx: &Context<'_>) -> Result<Vec<EffectiveRole>> {
        let request = request(ctx)?;
        let access = access_in(ctx, request, self.0.id).await?;
        let scope = request.member_scope();
        Ok(access.roles(scope.now()).map(|held| EffectiveRole::new(held, self.1)).collect())
    }

    /// The tenant's links to legacy systems. Needs the right to read legacy resources.
    async fn upstream_links(&self, ctx: &Context<'_>) -> Result<Option<Vec<UpstreamLinkObject>>> {
        links_of_tenant(ctx, self.0.id, self.1).await.map(Some)
    }

    /// The tenant's links to legacy systems, oldest first. Needs the right to read legacy
    /// resources.
    async fn upstream_links_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 1000.")] first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<String, UpstreamLinkObject, Total>>> {
        let page = Page::read(first, after.as_deref(), LINKS_MAX)?;
        let links = links_of_tenant(ctx, self.0.id, self.1).await?;
        Ok(Some(page.of(links, UpstreamLinkObject::sort_key, |link| link)))
    }

    /// Deep Security of the tenant. Needs the right to read legacy resources there. Over many
    /// tenants, each that fails is null with an error of its own.
    async fn deep_security(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<LazyObject<DeepSecurityObject>>> {
        Ok(Some(deep_security::of_tenant(ctx, self.0.id).await?))
    }

    /// The Integration Server of the tenant. Needs the right to read legacy resources there.
    /// UPSTREAM_NOT_LINKED if it is not linked to one and owns none.
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
    /// Pass it as `afterCursor` to read on; absent on an empty page.
    cursor_pos: Option<String>,
    /// How many tenants are on this page.
    count: i32,
    /// Whether there are more behind this page.
    has_more: bool,
    /// How many tenants the query finds in all.
    total_count: Option<i32>,
    /// The place of the page's first tenant in the whole list, from 0; absent on an empty page.
    first_index: Option<i32>,
    /// The place of the page's last tenant in the whole list, from 0; absent on an empty page.
    last_index: Option<i32>,
    /// The tenants.
    tenants: Vec<TenantObject>,
}

/// What to order tenants by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum TenantResultOrder {
    /// By id.
    Id,
    /// By name, letter case ignored; the default.
    Name,
    /// By the moment it was made.
    CreatedAt,
    /// By the moment it was last changed.
    UpdatedAt,
    /// By the nearest partner.
    PartnerTenantId,
    /// By the nearest organisation.
    OrganizationTenantId,
    /// Not offered: refused with BAD_USER_INPUT.
    HasSupportEnabled,
}

/// The direction of an order.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDir {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// A label to look for. Labels are not offered.
#[derive(InputObject)]
pub struct TenantLabelMatcher {
    /// The label's name.
    name: Option<String>,
    /// The label's value.
    value: Option<String>,
}

/// A subscription to look for. Subscriptions are not offered.
#[derive(InputObject)]
pub struct SubscriptionMatcher {
    /// The subscription's name.
    name: Option<String>,
    /// The subscription's id.
    id: Option<String>,
    /// Whether it was only requested.
    is_requested: Option<bool>,
}

/// Which tenants, in which order. All that is given must hold, and within a list any of it. The
/// input has every field that the Taegis SDK may send; those marked as not offered are refused with
/// BAD_USER_INPUT, since ignoring a filter would return more than was asked for.
#[derive(Default, InputObject)]
pub struct TenantsQuery {
    /// By id.
    ids: Option<Vec<String>>,
    /// By name: `*` stands for any text; letter case is ignored.
    names: Option<Vec<String>>,
    /// Whether it is a partner.
    is_partner_root: Option<bool>,
    /// Whether it is an organisation.
    is_organization: Option<bool>,
    /// At or below one of these tenants.
    hierarchies: Option<Vec<String>>,
    /// By the nearest partner.
    partners: Option<Vec<String>>,
    /// By the nearest organisation.
    organizations: Option<Vec<String>>,
    /// Not offered.
    mdr_providers: Option<Vec<String>>,
    /// Whether it is enabled.
    enabled: Option<bool>,
    /// Not offered.
    support_enabled: Option<bool>,
    /// Continue behind this `cursorPos`.
    after_cursor: Option<String>,
    /// Not offered.
    before_cursor: Option<String>,
    /// How many: 50 if absent, 500 at most, so that one query can ask the legacy systems of many
    /// customers.
    count: Option<i32>,
    /// Not offered.
    cql: Option<String>,
    /// Not offered.
    read_partner_roots: Option<bool>,
    /// Not offered.
    enabled_in_environments: Option<Vec<String>>,
    /// Not offered.
    labels_match: Option<Vec<TenantLabelMatcher>>,
    /// Not offered.
    subscriptions_match: Option<Vec<SubscriptionMatcher>>,
    /// What to order by.
    order_by: Option<TenantResultOrder>,
    /// In which direction.
    order_dir: Option<OrderDir>,
    /// Not offered.
    license_level: Option<String>,
    /// Not offered.
    license_capabilities_any: Option<Vec<String>>,
    /// Not offered.
    license_capabilities_all: Option<Vec<String>>,
    /// Not offered.
    license_capabilities_none: Option<Vec<String>>,
    /// Not offered.
    #[graphql(deprecation = "use hierarchies")]
    hierarchy_paths: Option<Vec<String>>,
    /// Continue behind this `cursorPos`.
    #[graphql(deprecation = "use afterCursor")]
    cursor_pos: Option<String>,
    /// Not offered.
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

/// An id that is none of ours finds nothing, like a foreign one.
fn ids(argument: &str, list: Option<&Vec<String>>) -> Result<Option<Vec<TenantId>>> {
    let parse = |list: &Vec<String>| {
        Ok(at_most(argument, list)?.iter().filter_map(|id| id.parse().ok()).collect())
    };
    list.map(parse).transpose()
}

/// The tenant that a request runs in.
#[derive(SimpleObject)]
pub struct RequestTenantContext {
    /// The nearest partner at the tenant or above it.
    #[graphql(name = "partnerTenantID")]
    partner_tenant_id: Option<ID>,
    /// The nearest organisation at the tenant or above it.
    #[graphql(name = "organizationTenantID")]
    organization_tenant_id: Option<ID>,
    /// The tenant in context, alone.
    #[graphql(name = "tenantIDs")]
    tenant_ids: Vec<ID>,
}

#[derive(Default)]
pub struct TenantQuery;

#[Object]
impl TenantQuery {
    /// A tenant: the one in context or one below it. Any other is NOT_FOUND, whether it exists or
    /// not.
    async fn tenant(&self, ctx: &Context<'_>, id: ID) -> Result<Option<TenantObject>> {
        let scope = request(ctx)?.member_scope();
        Ok(Some(service::<Tenants>(ctx)?.find(&scope, &id).boxed().await?.into()))
    }

    /// The tenants that the caller may enter: the one in context and those below it. Those who may
    /// manage tenants see disabled ones too.
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        tenants_query: Option<TenantsQuery>,
    ) -> Result<Option<TenantResults>> {
        let scope = request(ctx)?.member_scope();
        let tenants = service::<Tenants>(ctx)?;
        let query = tenants_query.unwrap_or_default();
        query.refuse_what_is_not_offered()?;
        let (filter, order) = (query.filter()?, query.order()?);
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

    /// The tenant that this request runs in: that of the header `X-Tenant-Context`, else the
    /// client's own.
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

/// A tenant to be made.
#[derive(InputObject)]
pub struct TenantCreateInput {
    /// 1 to 255 characters, space around it cut off, no control characters.
    name: String,
    /// The tenant above it; the one in context if absent.
    #[graphql(name = "parentTenantID")]
    parent_tenant_id: Option<ID>,
    /// Whether it manages tenants of customers; no if absent.
    is_partner: Option<bool>,
    /// Whether it holds the tenants of one customer together; no if absent.
    is_organization: Option<bool>,
}

/// What to change of a tenant; what is absent stays.
#[derive(InputObject)]
pub struct TenantUpdateInput {
    /// A new name, of 1 to 255 characters.
    name: Option<String>,
    /// Whether the tenant and what is below it can be entered.
    enabled: Option<bool>,
    /// The greatest age of a secret here and below, in seconds, 60 to 315360000; null ends the
    /// limit. It holds for secrets that exist as for new ones; a longer limit later does not revive
    /// a secret that had ended. A client over which the caller has no authority, because it holds a
    /// role that permits more than the caller may do, or for longer, keeps its secrets as they are
    /// until it is rotated; the next secret falls under the limit.
    max_secret_age: MaybeUndefined<i32>,
}

#[derive(Default)]
pub struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Makes a tenant below the one in context. Needs the right to manage tenants. A parent outside
    /// the tenant in context is NOT_FOUND. CONFLICT for more tenants than the settings `quotas.*`
    /// allow below one of those above.
    async fn create_tenant(
        &self,
        ctx: &Context<'_>,
        new_tenant: TenantCreateInput,
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

    /// Renames, enables or disables a tenant, or limits the age of its secrets. Needs the right to
    /// manage tenants. The tenant in context cannot be disabled from within: CONFLICT, as is a
    /// change after which the caller could not sign in and a tenant would be left without an
    /// administrator.
    async fn update_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "tenantID")] tenant_id: ID,
        tenant_update: TenantUpdateInput,
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
