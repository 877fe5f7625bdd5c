//! Seals stored keys with a new master key.

use std::sync::Arc;

use super::entity;
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::Result;
use crate::seal::MasterKey;

/// Reseals with the current master key every key that the previous one sealed, in a transaction
/// each, so that an interrupted run can be repeated. Returns the number of resealed keys.
///
/// # Errors
/// If the database fails, or neither master key opens a key.
pub async fn rewrap(database: &Database, master: &MasterKey, entropy: &dyn Entropy) -> Result<u64> {
    let mut count = 0;
    for row in entity::all_rows(database.reader()).await? {
        let Some(sealed) = row.sealed_secret.clone() else { continue };
        if let Some(anew) = master.rewrap(entropy, &row.binding(), &sealed)? {
            let reseal = async |write: Arc<Write<'_>>| {
                entity::reseal(&write, &row, sealed.clone(), anew.clone()).await
            };
            database.transaction(reseal).await?;
            count += 1;
        }
    }
    Ok(count)
}
