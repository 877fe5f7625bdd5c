//! The domains whose e-mail addresses a provider may vouch for.

use sea_orm::DeleteMany;
use sea_orm::entity::prelude::*;

use crate::ids::IdentityProviderId;

/// A domain of a provider, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity_provider_domains")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_id: IdentityProviderId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub domain: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The domains of a provider.
    pub fn of_provider(id: IdentityProviderId) -> Select<Self> {
        Self::find().filter(Column::ProviderId.eq(id))
    }

    /// Deletes the domains of a provider.
    pub fn forget(id: IdentityProviderId) -> DeleteMany<Self> {
        Self::delete_many().filter(Column::ProviderId.eq(id))
    }
}
