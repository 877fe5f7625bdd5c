//! Conditions and orders of statements on clients.

use sea_orm::sea_query::{
    Alias, CaseStatement, Expr, ExprTrait, JoinType, LikeExpr, Query, SelectStatement, SimpleExpr,
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QuerySelect, Select};

use crate::auth::TenantScope;
use crate::clients::entity::{Column, Entity, assignment};
use crate::clients::model::{ClientFilter, SortBy};
use crate::ids::ClientId;
use crate::names::{escaped, phrase};
use crate::roles::Role;
use crate::tenants::entity::{ScopeFilter, above, below, in_order};

/// The FTS5 table of client names on SQLite.
pub(super) const NAME_INDEX: &str = "client_names";

/// The name, so that no index over it is used.
pub(super) const UNINDEXED_NAME: &str = "(clients.name_folded || '')";

/// The clients of the scope that match the filter; `rare` is the rarest run of its pattern, where
/// few names have it.
pub(super) fn filtered(
    scope: &TenantScope,
    filter: &ClientFilter,
    rare: Option<&str>,
    by: ScopeFilter,
    is_sqlite: bool,
) -> Select<Entity> {
    let mut select = Entity::found(scope, by);
    if let Some(name) = &filter.name {
        let whole = LikeExpr::new(name.like()).escape('\\');
        match rare {
            Some(run) if is_sqlite => {
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
        let holds = Column::Id.in_subquery(holders(scope, roles));
        let in_order_of_list = by == ScopeFilter::InOrder;
        select = select.filter(if in_order_of_list { in_order(holds) } else { holds });
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
    if let Some((name, id)) = &filter.behind {
        let place = Expr::tuple([Expr::val(name.as_str()), Expr::val(*id)]);
        let row =
            Expr::tuple([Column::NameFolded, Column::Id].map(|column| Expr::col((Entity, column))));
        select = select.filter(row.gt(place));
    }
    select
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
pub(super) fn key(scope: &TenantScope, by: SortBy) -> SimpleExpr {
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
