//! The condition that rows belong to tenants of a scope, in forms that the databases plan
//! differently, and the probes that choose between them.

use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};

use super::{Column, Entity, ancestor, below};
use crate::ids::TenantId;

/// How a statement tells the rows of a scope from others. All forms find the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeFilter {
    /// Each row that the other conditions or the order of the list lead to is looked up in the tree
    /// of tenants: for rows named by ids, and for pages near the start of a list.
    EachRow,
    /// The tenants are collected, and their rows are read tenant by tenant: for counts, and for
    /// lists of scopes with few rows, which are then sorted.
    ByTenant,
    /// The tenants are collected, and the rows are read in the order of the list: for pages far
    /// down.
    InOrder,
}

impl ScopeFilter {
    /// That the column names the tenant or one below it.
    pub fn below(self, tenant: Expr, top: TenantId) -> Expr {
        match self {
            Self::EachRow => is_below(tenant, top),
            Self::ByTenant => tenant.in_subquery(below(top)),
            Self::InOrder => in_order(tenant.in_subquery(below(top))),
        }
    }

    /// That the column names the tenant or one below it, and one that neither is disabled nor
    /// stands below a disabled one.
    pub fn open_below(self, tenant: &Expr, top: TenantId) -> Condition {
        let is_open = |tenant: Expr| Expr::exists(closed_above(tenant)).not();
        let open = below(top)
            .and_where(is_open(Expr::col((ancestor::Entity, ancestor::Column::TenantId))))
            .to_owned();
        match self {
            Self::EachRow => {
                Condition::all().add(is_below(tenant.clone(), top)).add(is_open(tenant.clone()))
            }
            Self::ByTenant => Condition::all().add(tenant.clone().in_subquery(open)),
            Self::InOrder => Condition::all().add(in_order(tenant.clone().in_subquery(open))),
        }
    }
}

/// The membership in a collection, as a condition that the rows do not need to be read by: both
/// planners make a bare `IN` the way to the rows, and then sort all of them for any page.
pub fn in_order(membership: Expr) -> Expr {
    membership.is(Expr::custom_keyword("TRUE"))
}

fn is_below(tenant: Expr, top: TenantId) -> Expr {
    let within = Alias::new("within");
    let found = Query::select()
        .expr(Expr::val(1))
        .from_as(ancestor::Entity, within.clone())
        .and_where(Expr::col((within.clone(), ancestor::Column::TenantId)).eq(tenant))
        .and_where(Expr::col((within, ancestor::Column::AncestorId)).eq(top))
        .to_owned();
    Expr::exists(found)
}

/// The disabled ones among the tenant and those above it.
fn closed_above(tenant: Expr) -> SelectStatement {
    let above = Alias::new("above");
    let closed = Alias::new("closed");
    Query::select()
        .expr(Expr::val(1))
        .from_as(ancestor::Entity, above.clone())
        .join_as(
            sea_orm::JoinType::InnerJoin,
            Entity,
            closed.clone(),
            Expr::col((closed.clone(), Column::Id))
                .equals((above.clone(), ancestor::Column::AncestorId)),
        )
        .and_where(Expr::col((above, ancestor::Column::TenantId)).eq(tenant))
        // Without a parameter: only then PostgreSQL uses its index of disabled tenants.
        .and_where(Expr::col((closed, Column::Enabled)).not())
        .to_owned()
}

#[derive(FromQueryResult)]
struct Counted {
    found: i64,
}

/// Whether a table has more rows than that of the tenant and those below it, open or not. It reads
/// at most one more.
pub async fn has_more_rows(
    on: &impl ConnectionTrait,
    table: &'static str,
    tenant: TenantId,
    rows: u32,
) -> Result<bool, DbErr> {
    let joined = format!("JOIN {table} t ON t.tenant_id = a.tenant_id");
    has_more(on, &joined, tenant, rows).await
}

/// Whether more tenants than that are the tenant or below it, open or not.
pub async fn has_more_tenants(
    on: &impl ConnectionTrait,
    tenant: TenantId,
    tenants: u32,
) -> Result<bool, DbErr> {
    has_more(on, "", tenant, tenants).await
}

async fn has_more(
    on: &impl ConnectionTrait,
    joined: &str,
    tenant: TenantId,
    rows: u32,
) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT count(*) AS found FROM (
            SELECT 1 FROM tenant_ancestors a {joined} WHERE a.ancestor_id = $1 LIMIT {}
        ) AS few",
        u64::from(rows) + 1
    );
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, [tenant.into()]);
    let counted = Counted::find_by_statement(statement).one(on).await?;
    Ok(counted.is_some_and(|counted| counted.found > i64::from(rows)))
}

#[cfg(test)]
mod tests;
