//! Providers.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, QuerySelect, QueryTrait};

use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::ids::{IdentityProviderId, RoleId, TenantId, UserId};

/// The identity provider of a tenant.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity_providers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IdentityProviderId,
    pub tenant_id: TenantId,
    pub issuer: String,
    pub client_id: String,
    pub sealed_secret: Vec<u8>,
    pub ca_certificate: Option<String>,
    /// The role of accounts that sign in for the first time; none are made without it.
    pub default_role_id: Option<RoleId>,
    /// When the right of the administrator who set the default role ends.
    pub default_role_expires_at: Option<Timestamp>,
    pub emergency_user_id: Option<UserId>,
    pub enabled: bool,
    /// Increases with every change.
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub updated_by: String,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityProvider")
            .field("id", &self.id)
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The provider of the scope's tenant.
    pub fn of_this_tenant(scope: &TenantScope) -> Select<Self> {
        Self::find().filter(Column::TenantId.eq(scope.tenant()))
    }

    /// The provider that the people of a tenant sign in at.
    pub fn of_home(tenant: TenantId) -> Select<Self> {
        Self::find().filter(Column::TenantId.eq(tenant)).filter(Column::Enabled.eq(true))
    }

    /// The provider of a sign-in link, or of a sign-in under way, unless its tenant or one above
    /// is disabled.
    pub fn of_sign_in(id: IdentityProviderId) -> Select<Self> {
        Self::find().filter(Column::Id.eq(id)).filter(is_open())
    }

    /// The enabled providers that name a domain, whichever tenants they are of: to see whether
    /// the domain leads to exactly one.
    pub fn naming(domain: &str) -> Select<Self> {
        let named = super::domain::Entity::find()
            .filter(super::domain::Column::Domain.eq(domain))
            .select_only()
            .column(super::domain::Column::ProviderId);
        Self::find().filter(is_open()).filter(Column::Id.in_subquery(named.into_query()))
    }

    /// All rows, to change the master key.
    pub fn all_rows() -> Select<Self> {
        Self::find()
    }
}

/// Whether people can sign in at the provider: it is enabled, and so are its tenant and all
/// above.
fn is_open() -> Condition {
    let closed = Expr::cust(
        "EXISTS (SELECT 1 FROM tenant_ancestors a JOIN tenants t ON t.id = a.ancestor_id
            WHERE a.tenant_id = identity_providers.tenant_id AND NOT t.enabled)",
    );
    Condition::all().add(Column::Enabled.eq(true)).add(closed.not())
}
