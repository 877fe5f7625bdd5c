//! Reading clients through the graph.

use async_graphql::{Context, ID, Object};
use futures_util::FutureExt;

use super::objects::{Client, ClientSearchResults};
use super::search_input::{ClientsSearchInput, Filters};
use super::subject::Subject;
use crate::auth::graphql::{request, service};
use crate::clients::{ClientFilter, ClientOrder, Clients};
use crate::error::Result;
use crate::paging::page_size;
use crate::roles::Permission;

/// A client of the tenant in context or of one below it, by UUID or `client_id`.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read clients.
pub async fn find(ctx: &Context<'_>, id: &str) -> Result<Client> {
    let scope = request(ctx)?.scope(Permission::ReadClients)?;
    let clients = service::<Clients>(ctx)?;
    let client = clients.find(&scope, id).boxed().await?;
    Ok(Client::at(scope.now(), clients.limits().token_lifetime, client))
}

/// Queries of clients.
#[derive(Default)]
pub struct ClientQuery;

#[Object]
impl ClientQuery {
    /// Returns a client of the tenant in context or one below it. NOT_FOUND for any other. Requires
    /// the permission to read clients.
    async fn client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
    ) -> Result<Option<Client>> {
        find(ctx, &id).await.map(Some)
    }

    /// Lists the clients of the tenant in context and those below it, ordered by name and id. A
    /// client must match every filter; within a list, any entry. Requires the permission to read
    /// clients.
    #[graphql(deprecation = "use clientsSearch")]
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn clients(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Returns clients whose name matches. `%` matches any text; case-insensitive."
        )]
        name: Option<String>,
        #[graphql(
            name = "clientIDs",
            desc = "Returns clients with one of these ids: UUID or `client_id`."
        )]
        client_ids: Option<Vec<ID>>,
        #[graphql(name = "tenantID", desc = "Returns clients of this tenant.")] tenant_id: Option<
            ID,
        >,
        #[graphql(
            name = "roleIDs",
            desc = "Returns clients with one of these roles, not expired."
        )]
        role_ids: Option<Vec<ID>>,
        #[graphql(name = "tenantIDs", desc = "Returns clients of these tenants.")]
        tenant_ids: Option<Vec<ID>>,
        #[graphql(desc = "The page number, starting at 1.")] page: Option<i32>,
        #[graphql(desc = "The page size, 1 to 100. Default: 50.")] per_page: Option<i32>,
        #[graphql(desc = "Returns clients that are enabled, or that are not.")] enabled: Option<
            bool,
        >,
        #[graphql(
            desc = "Returns clients to which no token was issued since this time, in RFC 3339."
        )]
        unused_since: Option<String>,
    ) -> Result<Option<Vec<Client>>> {
        let scope = request(ctx)?.scope(Permission::ReadClients)?;
        let clients = service::<Clients>(ctx)?;
        let filters =
            Filters { name, client_ids, tenant_id, role_ids, tenant_ids, enabled, unused_since }
                .parse()?;
        let count = page_size(per_page);
        let offset = from_zero(page.map(|page| page.saturating_sub(1))) * count;
        let found =
            clients.list(&scope, &filters, ClientOrder::default(), offset, count).boxed().await?;
        let shown = found
            .into_iter()
            .map(|client| Client::at(scope.now(), clients.limits().token_lifetime, client));
        Ok(Some(shown.collect()))
    }

    /// Searches the clients of the tenant in context and those below it. Returns one page, with
    /// totals. Requires the permission to read clients.
    async fn clients_search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Filters, order and page.")] filters: Option<ClientsSearchInput>,
    ) -> Result<Option<ClientSearchResults>> {
        let scope = request(ctx)?.scope(Permission::ReadClients)?;
        let clients = service::<Clients>(ctx)?;
        let input = filters.unwrap_or_default();
        let count = page_size(input.per_page);
        let offset = from_zero(input.page_offset) * count;
        let (filter, order) = input.parse()?;
        let found = clients.list(&scope, &filter, order, offset, count).boxed().await?;
        let asked = |field| ctx.look_ahead().field(field).exists();
        let total =
            if asked("totalCount") { clients.count(&scope, &filter).boxed().await? } else { 0 };
        let everything = ClientFilter::default();
        let unfiltered = if asked("totalUnfilteredCount") {
            clients.count(&scope, &everything).boxed().await?
        } else {
            0
        };
        let shown = found
            .into_iter()
            .map(|client| Client::at(scope.now(), clients.limits().token_lifetime, client));
        let results: Vec<Client> = shown.collect();
        Ok(Some(ClientSearchResults {
            result_count: number(results.len() as u64),
            total_count: number(total),
            total_unfiltered_count: number(unfiltered),
            results,
        }))
    }

    /// Returns the subject of the request's token. A token with reduced rights shows only the roles
    /// that apply to the tenant in context, and no secrets, keys or their use unless it can read
    /// clients in the client's own tenant.
    async fn current_subject(&self, ctx: &Context<'_>) -> Result<Option<Subject>> {
        Subject::of(request(ctx)?.member_scope()).map(Some)
    }
}

/// A page number that counts from zero; anything less is the first page.
fn from_zero(page: Option<i32>) -> u64 {
    page.and_then(|page| u64::try_from(page).ok()).unwrap_or(0)
}

/// GraphQL numbers end at 2^31-1.
fn number(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
