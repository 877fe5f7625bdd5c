//! Links of users to accounts at a provider.

use sea_orm::DeleteMany;
use sea_orm::entity::prelude::*;

use crate::clock::Timestamp;
use crate::ids::{TenantId, UserId};

/// The account of a user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_identities")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub tenant_id: TenantId,
    pub issuer: String,
    pub subject: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The link of an account, within the provider's own tenant.
    pub fn of_account(tenant: TenantId, issuer: &str, subject: &str) -> Select<Self> {
        Self::find()
            .filter(Column::TenantId.eq(tenant))
            .filter(Column::Issuer.eq(issuer))
            .filter(Column::Subject.eq(subject))
    }

    /// The link of a user.
    pub fn of_user(user: UserId) -> Select<Self> {
        Self::find().filter(Column::UserId.eq(user))
    }

    /// Deletes the link of a user.
    pub fn forget(user: UserId) -> DeleteMany<Self> {
        Self::delete_many().filter(Column::UserId.eq(user))
    }

    /// Deletes the links of a tenant's people, whose provider is another one now.
    pub fn forget_all_of(tenant: TenantId) -> DeleteMany<Self> {
        Self::delete_many().filter(Column::TenantId.eq(tenant))
    }
}
