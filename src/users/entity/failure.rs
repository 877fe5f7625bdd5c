//! The table of failed sign-ins.

use sea_orm::QueryOrder;
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

use crate::clock::Timestamp;

/// The failures under one key, such as an address at a network.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_failures")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The SHA-256 of the key.
    pub id: Vec<u8>,
    /// The SHA-256 of the user who signed in from a known network; absent for counts.
    pub identity: Option<Vec<u8>>,
    /// The number of counted attempts.
    pub failures: i64,
    /// Attempts before this moment are refused.
    pub blocked_until: Timestamp,
    /// The moment up to which the count has faded; of a known network, the latest sign-in.
    pub last_at: Timestamp,
    /// When the row is forgotten; absent in rows of older versions.
    pub kept_until: Option<Timestamp>,
}

/// No relations: statements join by ids.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The counts under these keys, locked until the transaction ends; in one order, so that no two
    /// transactions wait for each other.
    pub fn locked(keys: &[Vec<u8>]) -> Select<Self> {
        Self::find()
            .filter(Column::Id.is_in(keys.iter().cloned()))
            .order_by_asc(Column::Id)
            .lock_exclusive()
    }

    /// The rows under these keys as they are.
    pub fn under(keys: &[Vec<u8>]) -> Select<Self> {
        Self::find().filter(Column::Id.is_in(keys.iter().cloned()))
    }

    /// The known networks of a user, the one used last first.
    pub fn known_to(identity: &[u8]) -> Select<Self> {
        let known = Self::find().filter(Column::Identity.eq(identity.to_vec()));
        known.order_by_desc(Column::LastAt).order_by_asc(Column::Id)
    }

    /// The rows with an end, those that are kept longest first.
    pub fn kept_longest() -> Select<Self> {
        Self::find().filter(Column::KeptUntil.is_not_null()).order_by_desc(Column::KeptUntil)
    }
}
