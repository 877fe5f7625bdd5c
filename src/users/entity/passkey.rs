//! The table of passkeys, which the room of passkeys works with.

use std::fmt;

use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;

use crate::clock::Timestamp;
use crate::ids::{PasskeyId, UserId};

/// A passkey of a user.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_passkeys")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PasskeyId,
    /// The owner.
    pub user_id: UserId,
    /// The id that the authenticator gave the credential.
    pub credential_id: Vec<u8>,
    /// The credential, sealed.
    pub sealed_credential: Vec<u8>,
    /// The name that the owner gave it.
    pub name: String,
    /// Increases with every sign-in and every change.
    pub revision: i64,
    /// When the row was created, by the database's time.
    pub created_at: Timestamp,
    /// When it last signed in.
    pub last_used_at: Option<Timestamp>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passkey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// No relations: statements join by ids.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The passkeys of a person, oldest first.
    pub fn of_user(user: UserId) -> Select<Self> {
        let of_user = Self::find().filter(Column::UserId.eq(user));
        of_user.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)
    }

    /// The passkeys of users that were found in a scope before: to count them.
    pub fn of_users(users: &[UserId]) -> Select<Self> {
        Self::find().filter(Column::UserId.is_in(users.iter().copied()))
    }

    /// The passkey with that credential, whose signature then proves who signs in.
    pub fn with_credential(credential_id: &[u8]) -> Select<Self> {
        Self::find().filter(Column::CredentialId.eq(credential_id.to_vec()))
    }

    /// All rows, to change the master key.
    pub fn all_rows() -> Select<Self> {
        Self::find()
    }
}
