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
    /// The number of counted attempts.
    pub failures: i64,
    /// Attempts before this moment are refused.
    pub blocked_until: Timestamp,
    /// The time of the latest attempt.
    pub last_at: Timestamp,
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
}
