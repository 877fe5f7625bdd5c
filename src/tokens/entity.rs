//! The table of signing keys.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{QueryOrder, TryInsertResult};

use crate::clock::Timestamp;
use crate::ids::KeyId;

/// A signing key, its private half sealed.
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeyId,
    /// Counts up; the newest signs.
    pub generation: i64,
    pub algorithm: String,
    pub public_jwk: String,
    /// PKCS #8, sealed for `signing_key:<id>`.
    pub sealed_private_key: Vec<u8>,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All keys, newest first.
pub async fn all(on: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_desc(Column::Generation).all(on).await
}

/// Adds the key unless another node was first with this generation; says whether it was added.
pub async fn insert_if_first(on: &impl ConnectionTrait, key: Model) -> Result<bool, DbErr> {
    let first = OnConflict::column(Column::Generation).do_nothing().to_owned();
    let inserted =
        Entity::insert(ActiveModel::from(key)).on_conflict(first).try_insert().exec_without_returning(on).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(count) if count > 0))
}
