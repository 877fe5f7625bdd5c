//! Queries of tenants.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use futures_util::FutureExt;

use super::filters::TenantsQuery;
use super::object::TenantObject;
use crate::auth::graphql::{request, service};
use crate::auth::{Access, TenantScope};
use crate::error::Result;
use crate::ids::TenantId;
use crate::paging::{cursor, page_size_up_to, read_cursor};
use crate::tenants::model::Place;
use crate::tenants::{Tenant, Tenants};

/// One query over all customers of a large partner fits on a page.
const PAGE_MAX: u64 = 500;

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

/// Queries of tenants.
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
        let total_count = if ctx.look_ahead().field("totalCount").exists() {
            Some(number(tenants.count(&scope, &filter).boxed().await?))
        } else {
            None
        };
        let mut access = access_to(ctx, &scope, &page.tenants).await?;
        let last_index = page.offset.saturating_add(page.tenants.len() as u64).checked_sub(1);
        let last = page.tenants.last().zip(last_index);
        Ok(Some(TenantResults {
            cursor_pos: last.map(|(last, index)| cursor(&(index, order.by.value(last), last.id))),
            count: number(page.tenants.len() as u64),
            has_more: page.has_more,
            total_count,
            first_index: last.map(|_| number(page.offset)),
            last_index: last.map(|(_, index)| number(index)),
            tenants: page
                .tenants
                .into_iter()
                .map(|tenant| {
                    let access = access.remove(&tenant.id);
                    TenantObject::listed(tenant, access)
                })
                .collect(),
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

/// The caller's access to each of these tenants, in one read, if the query selects their roles.
/// Loaded row by row, the reads of a long page would fall apart into a number that depends on time.
async fn access_to(
    ctx: &Context<'_>,
    scope: &TenantScope,
    tenants: &[Tenant],
) -> Result<HashMap<TenantId, Arc<Access>>> {
    if !ctx.look_ahead().field("tenants").field("effectiveRoles").exists() {
        return Ok(HashMap::new());
    }
    let ids: Vec<TenantId> = tenants.iter().map(|tenant| tenant.id).collect();
    scope.access_in_each(&ids).boxed().await
}

/// GraphQL numbers end at 2^31-1; no list here comes near.
fn number(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
