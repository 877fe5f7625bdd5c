//! The tables of tenants and of their ancestors.

mod scope_filter;
pub mod secret_age;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::{FromQueryResult, QuerySelect, Statement};

use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::ids::TenantId;

pub use scope_filter::{ScopeFilter, has_more_rows, has_more_tenants, in_order};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenants")]
pub struct Model {
    /// The tenant's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenantId,
    /// The parent; `None` for a root.
    pub parent_id: Option<TenantId>,
    /// The nearest partner, at the tenant or above it.
    pub partner_id: Option<TenantId>,
    /// The nearest organization, at the tenant or above it.
    pub organization_id: Option<TenantId>,
    /// The display name.
    pub name: String,
    /// The name as searches compare it.
    pub name_folded: String,
    /// Whether it manages the tenants of customers.
    pub is_partner: bool,
    /// Whether it groups the tenants of one customer.
    pub is_organization: bool,
    /// Whether it, and the tenants below it, can be entered.
    pub enabled: bool,
    /// The maximum age of secrets in it and below it.
    pub max_secret_age_seconds: Option<i64>,
    /// When the row was created, by the database's time.
    pub created_at: Timestamp,
    /// When the row was last changed.
    pub updated_at: Timestamp,
}

/// No relations: statements join by ids.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The root tenants: for the operator, who acts in no tenant.
    pub fn roots() -> Select<Self> {
        Self::find().filter(Column::ParentId.is_null())
    }

    /// The tenant of the scope and all below it, disabled ones too.
    pub fn of_tenant(scope: &TenantScope) -> Select<Self> {
        Self::all_found(scope, ScopeFilter::EachRow)
    }

    /// The same for a list, found in that way.
    pub fn all_found(scope: &TenantScope, by: ScopeFilter) -> Select<Self> {
        Self::find().filter(by.below(Expr::col((Entity, Column::Id)), scope.tenant()))
    }

    /// The tenant and all above it.
    pub fn at_or_above(tenant: TenantId) -> Select<Self> {
        Self::find().filter(Column::Id.in_subquery(above(tenant)))
    }

    /// The tenant of the scope and all below it that can be entered.
    pub fn open_to(scope: &TenantScope) -> Select<Self> {
        Self::open_found(scope, ScopeFilter::EachRow)
    }

    /// The same for a list, found in that way.
    pub fn open_found(scope: &TenantScope, by: ScopeFilter) -> Select<Self> {
        Self::find().filter(by.open_below(&Expr::col((Entity, Column::Id)), scope.tenant()))
    }
}

/// The ids of the tenant and all below it.
pub fn below(tenant: TenantId) -> SelectStatement {
    Query::select()
        .column(ancestor::Column::TenantId)
        .from(ancestor::Entity)
        .and_where(ancestor::Column::AncestorId.eq(tenant))
        .to_owned()
}

/// The ids of the tenant and all above it.
pub fn above(tenant: TenantId) -> SelectStatement {
    Query::select()
        .column(ancestor::Column::AncestorId)
        .from(ancestor::Entity)
        .and_where(ancestor::Column::TenantId.eq(tenant))
        .to_owned()
}

/// The ids of the tenants and all below them.
pub fn below_any(tenants: &[TenantId]) -> SelectStatement {
    Query::select()
        .column(ancestor::Column::TenantId)
        .from(ancestor::Entity)
        .and_where(ancestor::Column::AncestorId.is_in(tenants.iter().copied()))
        .to_owned()
}

/// The given tenants that are the tenant itself or its descendants.
pub async fn at_or_below(
    on: &impl ConnectionTrait,
    top: TenantId,
    tenants: &[TenantId],
) -> Result<Vec<TenantId>, DbErr> {
    let below = ancestor::Entity::find().filter(ancestor::Column::AncestorId.eq(top));
    let among = below.filter(ancestor::Column::TenantId.is_in(tenants.iter().copied()));
    among.select_only().column(ancestor::Column::TenantId).into_tuple().all(on).await
}

/// The number of descendants of each tenant.
#[derive(Clone, Debug, FromQueryResult)]
pub struct TenantCount {
    /// Whether it manages the tenants of customers.
    pub is_partner: bool,
    /// The number of descendants.
    pub below: i64,
}

/// The counts of the tenant and of each above it.
pub async fn counts_above(
    on: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Vec<TenantCount>, DbErr> {
    let sql = "SELECT t.is_partner, COUNT(b.tenant_id) - 1 AS below
        FROM tenant_ancestors a
        JOIN tenants t ON t.id = a.ancestor_id
        JOIN tenant_ancestors b ON b.ancestor_id = a.ancestor_id
        WHERE a.tenant_id = $1
        GROUP BY a.ancestor_id, t.is_partner";
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, [tenant.into()]);
    TenantCount::find_by_statement(statement).all(on).await
}

/// The ancestors of each tenant.
pub mod ancestor {
    use sea_orm::entity::prelude::*;

    use crate::ids::TenantId;

    /// `ancestor_id` is `distance` levels above `tenant_id`; 0 is the tenant itself.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tenant_ancestors")]
    pub struct Model {
        /// The descendant.
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: TenantId,
        /// The ancestor, which may be the tenant itself.
        #[sea_orm(primary_key, auto_increment = false)]
        pub ancestor_id: TenantId,
        /// The number of levels between the two.
        pub distance: i32,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
    impl Entity {
        /// The ancestors of the tenant, including itself.
        pub fn of(tenant: TenantId) -> Select<Self> {
            Self::find().filter(Column::TenantId.eq(tenant))
        }
    }
}
