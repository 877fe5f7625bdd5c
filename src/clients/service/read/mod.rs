//! Finds clients.

use sea_orm::sea_query::{
    Alias, CaseStatement, Expr, ExprTrait, JoinType, LikeExpr, Query, SelectStatement, SimpleExpr,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, FromQueryResult, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Statement,
};

use super::{Clients, WHAT, complete, one, with_id};
use crate::auth::TenantScope;
use crate::clients::entity::{Column, Entity, assignment};
use crate::clients::model::{Client, ClientFilter, ClientOrder, SortBy};
use crate::error::{Error, Result};
use crate::ids::ClientId;
use crate::names::{escaped, phrase};
use crate::roles::Role;
use crate::tenants::entity::{above, below};

/// The FTS5 table of client names on SQLite.
const NAME_INDEX: &str = "client_names";

/// The number of runs of a pattern that are tried.
const PROBES: usize = 4;

/// This many names are looked up and sorted in a few milliseconds.
const FEW: i64 = 2_000;

/// The name, so that no index over it is used.
const UNINDEXED_NAME: &str = "(clients.name_folded || '')";

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
        let select = self.sorted(scope, filter, rare, order).offset(offset).limit(count);
        let rows = select.all(self.database.reader()).await?;
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
        Ok(self.filtered(scope, filter, rare).count(self.database.reader()).await?)
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

    fn sorted(
        &self,
        scope: &TenantScope,
        filter: &ClientFilter,
        rare: Option<&str>,
        order: ClientOrder,
    ) -> Select<Entity> {
        let direction = if order.descending { Order::Desc } else { Order::Asc };
        let key = match rare {
            // Without this PostgreSQL, which guesses how many names match, would walk all names in
            // order.
            Some(_) if order.by == SortBy::Name && !self.database.is_sqlite() => {
                Expr::cust(UNINDEXED_NAME)
            }
            _ => key(scope, order.by),
        };
        self.filtered(scope, filter, rare)
            .order_by(key, direction.clone())
            .order_by(Column::Id, direction)
    }

    fn filtered(
        &self,
        scope: &TenantScope,
        filter: &ClientFilter,
        rare: Option<&str>,
    ) -> Select<Entity> {
        let mut select = Entity::of_tenant(scope);
        if let Some(name) = &filter.name {
            let whole = LikeExpr::new(name.like()).escape('\\');
            match rare {
                Some(run) if self.database.is_sqlite() => {
                    select = select.filter(Column::NameFolded.like(whole));
                    through_name_index(QuerySelect::query(&mut select), phrase(run));
                }
                Some(run) => {
                    let rare = LikeExpr::new(format!("%{}%", escaped(run))).escape('\\');
                    select = select
                        .filter(Column::NameFolded.like(rare))
                        .filter(Expr::cust(UNINDEXED_NAME).like(whole));
                }
                None => select = select.filter(Column::NameFolded.like(whole)),
            }
        }
        if let Some(ids) = &filter.client_ids {
            let uuids = ids.iter().filter_map(|id| id.parse::<ClientId>().ok());
            let by_id = Condition::any()
                .add(Column::ClientId.is_in(ids.iter().cloned()))
                .add(Column::Id.is_in(uuids));
            select = select.filter(by_id);
        }
        if let Some(roles) = &filter.roles {
            select = select.filter(Column::Id.in_subquery(holders(scope, roles)));
        }
        for tenants in &filter.tenants {
            select = select.filter(Column::TenantId.is_in(tenants.iter().copied()));
        }
        if let Some(enabled) = filter.enabled {
            select = select.filter(Column::Enabled.eq(enabled));
        }
        if let Some(since) = filter.unused_since {
            select = select
                .filter(Column::TokenRequestTime.is_null().or(Column::TokenRequestTime.lt(since)));
        }
        select
    }
}

/// Lets SQLite look up the trigrams first and the clients by number after. Left to itself the
/// planner walks all clients in the order of the answer; `CROSS JOIN` is SQLite's way to fix the
/// order of the loops.
fn through_name_index(select: &mut SelectStatement, trigrams: String) {
    let index = Alias::new(NAME_INDEX);
    select
        .from_clear()
        .from(index.clone())
        .join(JoinType::CrossJoin, Entity, Condition::all())
        // A cross join is written without its condition.
        .and_where(Expr::col((Entity, Column::Seq)).equals((index, Alias::new("rowid"))))
        .and_where(Expr::cust_with_values(format!("{NAME_INDEX} MATCH ?"), [trigrams]));
}

/// The ids of clients that hold one of the roles now.
fn holders(scope: &TenantScope, roles: &[Role]) -> SelectStatement {
    use assignment::Column;
    Query::select()
        .column(Column::ClientId)
        .from(assignment::Entity)
        .and_where(Column::RoleId.is_in(roles.iter().map(|role| role.id())))
        .and_where(Column::ExpiresAt.is_null().or(Column::ExpiresAt.gt(scope.now())))
        .cond_where(reached(scope))
        .to_owned()
}

/// The roles that the token reaches: see [`Clients::disclose`]. A filter or an order must not tell
/// of others either.
fn reached(scope: &TenantScope) -> Condition {
    let tenant = Expr::col((assignment::Entity, assignment::Column::TenantId));
    match scope.narrowed_to() {
        None => Condition::all(),
        Some(only) => Condition::any()
            .add(tenant.clone().in_subquery(above(only)))
            .add(tenant.in_subquery(below(only))),
    }
}

/// The sort expression of a list. Absent values sort first on both databases.
fn key(scope: &TenantScope, by: SortBy) -> SimpleExpr {
    match by {
        SortBy::Name => Expr::col((Entity, Column::NameFolded)),
        SortBy::ClientId => Expr::col((Entity, Column::ClientId)),
        SortBy::TokenRequestCount => Expr::col((Entity, Column::TokenRequestCount)),
        SortBy::TokenRequestTime => Expr::col((Entity, Column::TokenRequestTime)).if_null(0),
        SortBy::RoleName => first_role_name(scope).if_null(""),
    }
}

/// The first name in the alphabet among the roles of a client.
fn first_role_name(scope: &TenantScope) -> SimpleExpr {
    use assignment::Column as Held;
    let named = Role::ALL.into_iter().fold(CaseStatement::new(), |case, role| {
        case.case(Expr::col(Held::RoleId).eq(role.id()), Expr::val(role.name()))
    });
    let names = Query::select()
        .expr(SimpleExpr::Case(Box::new(named)).min())
        .from(assignment::Entity)
        .and_where(Expr::col((assignment::Entity, Held::ClientId)).equals((Entity, Column::Id)))
        .cond_where(reached(scope))
        .to_owned();
    SimpleExpr::SubQuery(None, Box::new(names.into()))
}

#[cfg(test)]
mod tests;
