//! Finds clients.

mod conditions;
mod plan;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ConnectionTrait, FromQueryResult, Order, PaginatorTrait, QueryOrder, QuerySelect, QueryTrait,
    Select, Statement,
};

use super::{Clients, WHAT, complete, one, with_id};
use crate::auth::TenantScope;
use crate::clients::entity::{Column, Entity};
use crate::clients::model::{Client, ClientFilter, ClientOrder, SortBy};
use crate::error::{Error, Result};
use crate::names::{escaped, phrase};
use crate::tenants::entity::ScopeFilter;

use conditions::{UNINDEXED_NAME, filtered, key};

/// The number of runs of a pattern that are tried.
const PROBES: usize = 4;

/// This many names are looked up and sorted in a few milliseconds.
const FEW: i64 = 2_000;

#[derive(FromQueryResult)]
struct Counted {
    found: i64,
}

impl Clients {
    /// One client of the scope, by UUID or `client_id`.
    ///
    /// # Errors
    /// `NOT_FOUND`, with one message for foreign and unknown clients.
    pub async fn find(&self, scope: &TenantScope, id: &str) -> Result<Client> {
        self.usage.flush_soon().await;
        let found = with_id(Entity::of_tenant(scope), id).one(self.database.reader()).await?;
        let mut client =
            one(self.database.reader(), found.ok_or_else(|| Error::not_found(WHAT))?).await?;
        self.disclose(scope, std::slice::from_mut(&mut client)).await?;
        Ok(client)
    }

    /// The calling client with its roles, secrets and keys.
    pub(super) async fn find_caller(&self, scope: &TenantScope) -> Result<Client> {
        self.usage.flush_soon().await;
        let found = Entity::caller(scope).one(self.database.reader()).await?;
        one(self.database.reader(), found.ok_or_else(|| Error::not_found(WHAT))?).await
    }

    /// A page of the clients of the scope.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(
        &self,
        scope: &TenantScope,
        filter: &ClientFilter,
        order: ClientOrder,
        offset: u64,
        count: u64,
    ) -> Result<Vec<Client>> {
        self.usage.flush_soon().await;
        let rare = self.rare_run(filter).await?;
        let end = offset.saturating_add(count);
        let by = self.plan(scope, filter, rare, order, end).await?;
        let ids = self.ids(scope, filter, rare, order, by).offset(offset).limit(count);
        let rows = page(scope, ids, order).all(self.database.reader()).await?;
        let mut clients = complete(self.database.reader(), rows).await?;
        self.disclose(scope, &mut clients).await?;
        Ok(clients)
    }

    /// The number of clients that match the filter.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn count(&self, scope: &TenantScope, filter: &ClientFilter) -> Result<u64> {
        let rare = self.rare_run(filter).await?;
        let by = if rare.is_some() || filter.client_ids.is_some() {
            ScopeFilter::EachRow
        } else {
            ScopeFilter::ByTenant
        };
        let is_sqlite = self.database.is_sqlite();
        Ok(filtered(scope, filter, rare, by, is_sqlite).count(self.database.reader()).await?)
    }

    /// The rarest run of literal characters in the pattern, if few names contain it: the trigram
    /// index then finds them. A frequent run is found faster by scanning the names in the order of
    /// the answer, since looking up and sorting all matches would take seconds. Each lookup reads
    /// at most that many entries of the index.
    ///
    /// The index and the count span all tenants: they only choose a query plan, and the rows read
    /// by that plan are still filtered by the scope.
    async fn rare_run<'a>(&self, filter: &'a ClientFilter) -> Result<Option<&'a str>> {
        let mut rarest = None;
        let Some(name) = &filter.name else { return Ok(None) };
        for run in name.runs().take(PROBES) {
            let (condition, value) = if self.database.is_sqlite() {
                ("client_names WHERE client_names MATCH $1", phrase(run))
            } else {
                (r"clients WHERE name_folded LIKE $1 ESCAPE '\'", format!("%{}%", escaped(run)))
            };
            let limit = FEW + 1;
            let sql = format!(
                "SELECT count(*) AS found FROM (SELECT 1 FROM {condition} LIMIT {limit}) AS few"
            );
            let reader = self.database.reader();
            let statement =
                Statement::from_sql_and_values(reader.get_database_backend(), sql, [value.into()]);
            let counted = Counted::find_by_statement(statement).one(reader).await?;
            let found = counted.map_or(0, |counted| counted.found);
            if found <= FEW && rarest.is_none_or(|(fewest, _)| found < fewest) {
                rarest = Some((found, run));
            }
        }
        Ok(rarest.map(|(_, run)| run))
    }

    /// The ids of the clients in their order. The rows before a page are read for this alone: where
    /// an index has all that the conditions ask for, from it and not from the table.
    fn ids(
        &self,
        scope: &TenantScope,
        filter: &ClientFilter,
        rare: Option<&str>,
        order: ClientOrder,
        by: ScopeFilter,
    ) -> Select<Entity> {
        let is_sqlite = self.database.is_sqlite();
        let key = match rare {
            // Without this PostgreSQL, which guesses how many names match, would walk all names in
            // order.
            Some(_) if order.by == SortBy::Name && !is_sqlite => Expr::cust(UNINDEXED_NAME),
            _ => key(scope, order.by),
        };
        let ids = filtered(scope, filter, rare, by, is_sqlite).select_only().column(Column::Id);
        let direction = direction(order);
        ids.order_by(key, direction.clone()).order_by(Column::Id, direction)
    }
}

/// The clients of a page with all columns, in the same order.
fn page(scope: &TenantScope, ids: Select<Entity>, order: ClientOrder) -> Select<Entity> {
    let direction = direction(order);
    Entity::of_ids(ids.into_query())
        .order_by(key(scope, order.by), direction.clone())
        .order_by(Column::Id, direction)
}

fn direction(order: ClientOrder) -> Order {
    if order.descending { Order::Desc } else { Order::Asc }
}

#[cfg(test)]
mod tests;
