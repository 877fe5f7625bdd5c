//! Sign-ins that were sent to a provider.

use sea_orm::DeleteMany;
use sea_orm::entity::prelude::*;

use crate::clock::Timestamp;
use crate::ids::IdentityProviderId;
use crate::secret::SecretHash;

/// A sign-in that was sent to a provider and has not come back.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    pub provider_id: IdentityProviderId,
    pub provider_revision: i64,
    pub browser_hash: SecretHash,
    /// The nonce and the PKCE verifier.
    pub sealed: Vec<u8>,
    pub redirect_uri: String,
    pub return_to: Option<String>,
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInRequest")
            .field("provider_id", &self.provider_id)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The sign-in with that `state`.
    pub fn with_state(hash: &SecretHash) -> Select<Self> {
        Self::find().filter(Column::StateHash.eq(hash.as_bytes().to_vec()))
    }

    /// Deletes the sign-in with that `state`.
    pub fn take(hash: &SecretHash) -> DeleteMany<Self> {
        Self::delete_many().filter(Column::StateHash.eq(hash.as_bytes().to_vec()))
    }

    /// Deletes sign-ins that nobody can finish any more.
    pub fn forget_expired(now: Timestamp) -> DeleteMany<Self> {
        Self::delete_many().filter(Column::ExpiresAt.lte(now))
    }
}
