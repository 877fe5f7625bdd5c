//! The table `passkey_ceremonies`, and the finders that passkeys need. The table of passkeys itself
//! is with the users, who count them as second factors.

pub use crate::users::entity::passkey::{Column, Entity, Model};

/// Ceremonies under way.
pub mod ceremony {
    use std::fmt;

    use sea_orm::DeleteMany;
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::{CeremonyId, UserId};
    use crate::secret::SecretHash;

    /// A registration or a sign-in that a browser has begun.
    #[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "passkey_ceremonies")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: CeremonyId,
        /// The name of a `Purpose`.
        pub purpose: String,
        /// Absent where the passkey itself tells who signs in.
        pub user_id: Option<UserId>,
        pub browser_hash: SecretHash,
        pub sealed_state: Vec<u8>,
        pub expires_at: Timestamp,
    }

    impl fmt::Debug for Model {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Ceremony").field("id", &self.id).finish_non_exhaustive()
        }
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The ceremony of a browser.
        pub fn of_browser(id: CeremonyId, browser: &SecretHash) -> Select<Self> {
            Self::find().filter(Column::Id.eq(id)).filter(Column::BrowserHash.eq(browser.clone()))
        }

        /// Deletes a ceremony.
        pub fn take(id: CeremonyId) -> DeleteMany<Self> {
            Self::delete_many().filter(Column::Id.eq(id))
        }

        /// Deletes the ceremonies that a browser has begun before: it has one at a time.
        pub fn forget_of_browser(browser: &SecretHash) -> DeleteMany<Self> {
            Self::delete_many().filter(Column::BrowserHash.eq(browser.clone()))
        }

        /// Deletes ceremonies that nobody can finish any more.
        pub fn forget_expired(now: Timestamp) -> DeleteMany<Self> {
            Self::delete_many().filter(Column::ExpiresAt.lte(now))
        }
    }
}

/// The person and their other second factor, which the services of users manage.
pub mod person {
    use sea_orm::QuerySelect;
    use sea_orm::entity::prelude::*;

    use crate::ids::UserId;
    use crate::users::entity::credential::totp;
    use crate::users::entity::{Column, Entity};

    /// The person, locked: of concurrent changes of their factors, one waits for the other.
    pub fn locked(user: UserId) -> Select<Entity> {
        Entity::signing_in(user).filter(Column::Enabled.eq(true)).lock_exclusive()
    }

    /// The confirmed key of one-time passwords.
    pub fn one_time_passwords(user: UserId) -> Select<totp::Entity> {
        totp::Entity::confirmed(user)
    }
}
