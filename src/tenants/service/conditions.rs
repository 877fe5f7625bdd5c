//! Conditions and orders of statements on tenants.

use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, QueryFilter, Select, Value};

use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::names::NamePattern;
use crate::tenants::entity::{Column, Entity, below_any};
use crate::tenants::model::{Order, OrderBy, TenantFilter};

/// SQLite nests expressions 1,000 deep at most, and a chain of alternatives is as deep as it is
/// long.
const ALTERNATIVES_AT_ONCE: usize = 100;

/// Restricts a statement to the tenants of a filter.
pub(super) fn filtered(mut select: Select<Entity>, filter: &TenantFilter) -> Select<Entity> {
    if let Some(ids) = &filter.ids {
        select = select.filter(Column::Id.is_in(ids.iter().copied()));
    }
    if let Some(names) = &filter.names {
        select = select.filter(named_as_any(names));
    }
    if let Some(is_partner) = filter.is_partner {
        select = select.filter(Column::IsPartner.eq(is_partner));
    }
    if let Some(is_organization) = filter.is_organization {
        select = select.filter(Column::IsOrganization.eq(is_organization));
    }
    if let Some(enabled) = filter.enabled {
        select = select.filter(Column::Enabled.eq(enabled));
    }
    if let Some(tops) = &filter.below {
        select = select.filter(Column::Id.in_subquery(below_any(tops)));
    }
    if let Some(partners) = &filter.partners {
        select = select.filter(Column::PartnerId.is_in(partners.iter().copied()));
    }
    if let Some(organizations) = &filter.organizations {
        select = select.filter(Column::OrganizationId.is_in(organizations.iter().copied()));
    }
    select
}

/// That the name fits one of the patterns: groups of alternatives, since one chain of all would be
/// too deep.
fn named_as_any(names: &[NamePattern]) -> Condition {
    let like =
        |name: &NamePattern| Column::NameFolded.like(LikeExpr::new(name.like()).escape('\\'));
    let group =
        |some: &[NamePattern]| some.iter().fold(Condition::any(), |any, name| any.add(like(name)));
    names.chunks(ALTERNATIVES_AT_ONCE).fold(Condition::any(), |any, some| any.add(group(some)))
}

/// The sort expression. A tenant without partner or organization sorts as one with an all-zero id.
pub(super) fn key(by: OrderBy) -> SimpleExpr {
    let or_zero =
        |column: Column| Expr::col(column).if_null(Expr::val(TenantId(uuid::Uuid::nil())));
    match by {
        OrderBy::Id => Expr::col(Column::Id),
        OrderBy::Name => Expr::col(Column::NameFolded),
        OrderBy::CreatedAt => Expr::col(Column::CreatedAt),
        OrderBy::UpdatedAt => Expr::col(Column::UpdatedAt),
        OrderBy::Partner => or_zero(Column::PartnerId),
        OrderBy::Organization => or_zero(Column::OrganizationId),
    }
}

/// The condition for rows after a cursor.
pub(super) fn behind(order: Order, value: &str, id: TenantId) -> Result<SimpleExpr> {
    let foreign = || Error::bad_input("afterCursor", "is of a list in another order");
    let value: Value = match order.by {
        OrderBy::Name => value.into(),
        OrderBy::CreatedAt | OrderBy::UpdatedAt => {
            value.parse::<i64>().map_err(|_| foreign())?.into()
        }
        OrderBy::Partner | OrderBy::Organization if value.is_empty() => uuid::Uuid::nil().into(),
        OrderBy::Id | OrderBy::Partner | OrderBy::Organization => {
            value.parse::<TenantId>().map_err(|_| foreign())?.into()
        }
    };
    // One comparison of pairs, at which both databases begin to read an index.
    let row = Expr::tuple([key(order.by), Expr::col(Column::Id)]);
    let place = Expr::tuple([Expr::val(value), Expr::val(id)]);
    Ok(if order.descending { row.lt(place) } else { row.gt(place) })
}
