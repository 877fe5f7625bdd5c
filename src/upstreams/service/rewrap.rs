//! Resealing of credentials after a rotation of the master key.

use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::Result;
use crate::seal::MasterKey;
use crate::upstreams::entity::upstream;
use crate::upstreams::model::binding;

/// Reseals every credential that the previous master key sealed, and returns how many. It may be
/// stopped and run again.
///
/// # Errors
/// If the database fails, or a credential was sealed by neither key.
pub async fn rewrap(database: &Database, master: &MasterKey, entropy: &dyn Entropy) -> Result<u64> {
    let mut count = 0;
    for row in upstream::Entity::all_rows().all(database.reader()).await? {
        let anew = master.rewrap(
            entropy,
            &binding(row.id, row.owner_tenant_id),
            &row.sealed_credential,
        )?;
        if let Some(anew) = anew {
            // Replaces only the value that was read: a credential changed meanwhile is sealed by
            // the new key already.
            let reseal = upstream::Entity::update_many()
                .col_expr(upstream::Column::SealedCredential, sea_orm::sea_query::Expr::val(anew))
                .filter(upstream::Column::Id.eq(row.id))
                .filter(upstream::Column::SealedCredential.eq(row.sealed_credential));
            let work = async |write: Arc<Write<'_>>| Ok(reseal.clone().exec(write.on()).await?);
            database.transaction(work).await?;
            count += 1;
        }
    }
    Ok(count)
}
