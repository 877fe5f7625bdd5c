//! The tables of signing keys and of revoked tokens.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{QueryOrder, QuerySelect, TryInsertResult};

use crate::clock::Timestamp;
use crate::error;
use crate::ids::KeyId;
use crate::seal::MasterKey;

/// A signing key, its private half sealed.
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeyId,
    /// Increases with each key; the newest active key signs.
    pub generation: i64,
    pub algorithm: String,
    pub public_jwk: String,
    /// PKCS #8, sealed for `signing_key:<id>`.
    pub sealed_private_key: Vec<u8>,
    pub created_at: Timestamp,
    /// When it begins to sign; it is published before.
    pub active_from: Timestamp,
    /// When the last token that it signed has ended; absent while it has no successor.
    pub retired_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All keys, newest first.
pub async fn all(on: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_desc(Column::Generation).all(on).await
}

/// The newest key with its sealed private half.
async fn newest_sealed(on: &impl ConnectionTrait) -> Result<Option<(KeyId, Vec<u8>)>, DbErr> {
    let sealed = Entity::find().select_only().columns([Column::Id, Column::SealedPrivateKey]);
    sealed.order_by_desc(Column::Generation).into_tuple().one(on).await
}

/// Whether the database holds signing keys, which a master key has sealed.
///
/// # Errors
/// If the database cannot be asked.
pub async fn holds_sealed_keys(on: &impl ConnectionTrait) -> error::Result<bool> {
    Ok(newest_sealed(on).await?.is_some())
}

/// The context that the seal of a key is bound to.
pub fn binding(id: KeyId) -> String {
    format!("signing_key:{id}")
}

/// Refuses a master key that does not open the newest signing key of a database.
///
/// # Errors
/// If it does not, or the database cannot be asked.
pub async fn require_master_key(
    on: &impl ConnectionTrait,
    master: &MasterKey,
) -> error::Result<()> {
    match newest_sealed(on).await? {
        Some((id, sealed)) => master.open(&binding(id), &sealed).map(drop),
        None => Ok(()),
    }
}

/// Inserts the key unless another node has inserted this generation. Returns whether it was
/// inserted.
pub async fn insert_if_first(on: &impl ConnectionTrait, key: Model) -> Result<bool, DbErr> {
    let first = OnConflict::column(Column::Generation).do_nothing().to_owned();
    let inserted = Entity::insert(ActiveModel::from(key))
        .on_conflict(first)
        .try_insert()
        .exec_without_returning(on)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(count) if count > 0))
}

/// Lets the predecessors of a key go at that moment, unless they go before: those of its algorithm,
/// and those of another that nobody has renewed since `unused_since`.
pub async fn retire_before(
    on: &impl ConnectionTrait,
    successor: &Model,
    unused_since: Timestamp,
    at: Timestamp,
) -> Result<(), DbErr> {
    let superseded =
        Column::Algorithm.eq(&successor.algorithm).or(Column::CreatedAt.lt(unused_since));
    Entity::update_many()
        .col_expr(Column::RetiredAt, Expr::value(at))
        .filter(Column::Generation.lt(successor.generation))
        .filter(superseded)
        .filter(Column::RetiredAt.is_null().or(Column::RetiredAt.gt(at)))
        .exec(on)
        .await?;
    Ok(())
}

/// Deletes a key. Returns whether it existed.
pub async fn delete(on: &impl ConnectionTrait, id: KeyId) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(on).await?.rows_affected == 1)
}

/// Deletes the keys that had retired at that moment.
pub async fn forget_retired(on: &impl ConnectionTrait, at: Timestamp) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::RetiredAt.lte(at)).exec(on).await?;
    Ok(())
}

/// Replaces the sealed private half that was read, unless it has changed meanwhile.
pub async fn reseal(
    on: &impl ConnectionTrait,
    id: KeyId,
    read: Vec<u8>,
    anew: Vec<u8>,
) -> Result<(), DbErr> {
    let update = Entity::update_many().col_expr(Column::SealedPrivateKey, Expr::value(anew));
    update.filter(Column::Id.eq(id)).filter(Column::SealedPrivateKey.eq(read)).exec(on).await?;
    Ok(())
}

/// Revoked tokens.
pub mod revoked {
    use sea_orm::entity::prelude::*;
    use sea_orm::sea_query::OnConflict;
    use sea_orm::{IntoActiveModel, TryInsertResult};

    use crate::clock::Timestamp;
    use crate::ids::TokenId;

    /// A revoked token.
    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "revoked_tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: TokenId,
        /// When the token expires.
        pub expires_at: Timestamp,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// Inserts a token. Returns whether it was new.
    pub async fn add(on: &impl ConnectionTrait, token: Model) -> Result<bool, DbErr> {
        let once = OnConflict::column(Column::Id).do_nothing().to_owned();
        let insert = Entity::insert(token.into_active_model()).on_conflict(once).try_insert();
        Ok(
            matches!(insert.exec_without_returning(on).await?, TryInsertResult::Inserted(count) if count > 0),
        )
    }

    /// Whether the token is revoked.
    pub async fn holds(on: &impl ConnectionTrait, id: TokenId) -> Result<bool, DbErr> {
        Ok(Entity::find_by_id(id).one(on).await?.is_some())
    }

    /// Deletes tokens that expired before that moment.
    pub async fn forget(on: &impl ConnectionTrait, before: Timestamp) -> Result<(), DbErr> {
        Entity::delete_many().filter(Column::ExpiresAt.lt(before)).exec(on).await?;
        Ok(())
    }
}
