//! The tables of second factors and one-time links.

/// A key of one-time passwords.
pub mod totp {
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::{SessionId, TotpId, UserId};

    /// A key of one user: at most one is confirmed, and one more waits for its first code.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_totp")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: TotpId,
        /// The user.
        pub user_id: UserId,
        /// The session that the key was shown in.
        pub session_id: Option<SessionId>,
        /// Sealed for [`Model::binding`].
        pub sealed_key: Vec<u8>,
        /// When a first code proved that the person's app has the key.
        pub confirmed_at: Option<Timestamp>,
        /// The last step whose code was accepted; it and older ones are refused.
        pub last_used_step: Option<i64>,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Model {
        /// The context that the seal of the key is bound to.
        pub fn binding(&self) -> String {
            binding(self.id)
        }
    }

    /// The context that the seal of a key is bound to.
    pub fn binding(id: TotpId) -> String {
        format!("user_totp:{id}")
    }

    impl Entity {
        /// The confirmed key of the user.
        pub fn confirmed(user: UserId) -> Select<Self> {
            Self::find().filter(Column::UserId.eq(user)).filter(Column::ConfirmedAt.is_not_null())
        }

        /// The confirmed keys of users that were found in a scope before.
        pub fn confirmed_of(users: &[UserId]) -> Select<Self> {
            Self::find()
                .filter(Column::UserId.is_in(users.iter().copied()))
                .filter(Column::ConfirmedAt.is_not_null())
        }

        /// The key that waits for its first code.
        pub fn pending(user: UserId) -> Select<Self> {
            Self::find().filter(Column::UserId.eq(user)).filter(Column::ConfirmedAt.is_null())
        }

        /// Every key, for a change of the master key.
        pub fn all_sealed() -> Select<Self> {
            Self::find()
        }
    }
}

/// A recovery code, as a hash.
pub mod recovery {
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::{RecoveryCodeId, UserId};
    use crate::secret::SecretHash;

    /// A code that replaces a lost second factor once.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_recovery_codes")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: RecoveryCodeId,
        /// The user.
        pub user_id: UserId,
        /// The SHA-256 of the code.
        pub hash: SecretHash,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
        /// When it was used.
        pub used_at: Option<Timestamp>,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The codes of the user that were not used.
        pub fn unused(user: UserId) -> Select<Self> {
            Self::find().filter(Column::UserId.eq(user)).filter(Column::UsedAt.is_null())
        }
    }
}

/// A one-time link, as a hash.
pub mod invitation {
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::{InvitationId, UserId};
    use crate::secret::SecretHash;

    /// A link by which a person sets their password.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_invitations")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: InvitationId,
        /// The user.
        pub user_id: UserId,
        /// The SHA-256 of the token.
        pub hash: SecretHash,
        /// `INVITATION`, `PASSWORD` or `MFA`.
        pub purpose: String,
        /// When it expires.
        pub expires_at: Timestamp,
        /// When it was used.
        pub used_at: Option<Timestamp>,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
        /// The subject that created it, as in audit records.
        pub created_by: String,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The link with that hash, if it was not used and has not ended.
        pub fn open(hash: SecretHash, now: Timestamp) -> Select<Self> {
            Self::find()
                .filter(Column::Hash.eq(hash))
                .filter(Column::UsedAt.is_null())
                .filter(Column::ExpiresAt.gt(now))
        }

        /// The links of users that were found in a scope before which still work.
        pub fn open_of(users: &[UserId], now: Timestamp) -> Select<Self> {
            Self::find()
                .filter(Column::UserId.is_in(users.iter().copied()))
                .filter(Column::UsedAt.is_null())
                .filter(Column::ExpiresAt.gt(now))
        }
    }
}
