//! Seals the keys of one-time passwords with a new master key.

use std::sync::Arc;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::Result;
use crate::seal::MasterKey;
use crate::users::entity::credential::totp::{Column, Entity};

/// Seals with the present master key every key that the previous one sealed, in a transaction each,
/// so that an interrupted run can be repeated. Returns the number of keys sealed anew.
///
/// # Errors
/// If the database fails, or neither master key opens a key.
pub async fn rewrap(database: &Database, master: &MasterKey, entropy: &dyn Entropy) -> Result<u64> {
    let mut count = 0;
    for row in Entity::all_sealed().all(database.reader()).await? {
        if let Some(anew) = master.rewrap(entropy, &row.binding(), &row.sealed_key)? {
            let reseal = async |write: Arc<Write<'_>>| {
                Entity::update_many()
                    .col_expr(Column::SealedKey, Expr::value(anew.clone()))
                    .filter(Column::Id.eq(row.id))
                    .filter(Column::SealedKey.eq(row.sealed_key.clone()))
                    .exec(write.on())
                    .await?;
                Ok(())
            };
            database.transaction(reseal).await?;
            count += 1;
        }
    }
    Ok(count)
}
