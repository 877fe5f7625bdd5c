//! The states of a key, from the claim to mint it until it is deleted.

use std::time::Duration;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{IntoActiveModel, TryInsertResult};

use super::{Column, Entity, LIVE, Model, PENDING, SPENT, STRAY};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::Result;
use crate::ids::TenantKeyId;

/// Claims the minting of a key for the row's slot until the key is live or the lease expires by the
/// database's clock. A claim whose lease has expired becomes stray.
///
/// Returns `false` if another node has a claim.
pub async fn claim(write: &Write<'_>, row: Model, lease: Duration, now: Timestamp) -> Result<bool> {
    let present = write.now().await?;
    Entity::update_many()
        .col_expr(Column::State, Expr::val(STRAY))
        .col_expr(Column::SpentAt, Expr::val(now))
        .filter(Column::LinkId.eq(row.link_id))
        .filter(Column::Access.eq(row.access.as_str()))
        .filter(Column::State.eq(PENDING))
        .filter(Column::LeaseUntil.lte(present))
        .exec(write.on())
        .await?;
    let row = Model { state: PENDING.to_owned(), lease_until: present.plus(lease), ..row };
    let unless_pending = OnConflict::new().do_nothing().to_owned();
    let insert = Entity::insert(row.into_active_model()).on_conflict(unless_pending).try_insert();
    let inserted = insert.exec_without_returning(write.on()).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(count) if count > 0))
}

/// Extends the lease of a claim.
pub async fn renew_lease(write: &Write<'_>, id: TenantKeyId, lease: Duration) -> Result<()> {
    let until = write.now().await?.plus(lease);
    Entity::update_many()
        .col_expr(Column::LeaseUntil, Expr::val(until))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(PENDING))
        .exec(write.on())
        .await?;
    Ok(())
}

/// A verified key of a claim.
pub struct MintedKey {
    /// The vendor's id.
    pub remote_key_id: i64,
    /// The role of the key.
    pub role_id: i64,
    /// The sealed secret.
    pub sealed_secret: Vec<u8>,
    /// When it is due for renewal.
    pub renew_at: Timestamp,
    /// When it expires at the latest.
    pub expires_at: Timestamp,
}

/// Records the key that the response to a claim's request contains, before anything else is done
/// with it, so that after a crash the key can be deleted with its own secret. Returns whether the
/// claim is still pending.
pub async fn note_minted(write: &Write<'_>, row: &Model, minted: &MintedKey) -> Result<bool> {
    let noted = Entity::update_many()
        .col_expr(Column::RemoteKeyId, Expr::val(minted.remote_key_id))
        .col_expr(Column::RoleId, Expr::val(minted.role_id))
        .col_expr(Column::SealedSecret, Expr::val(minted.sealed_secret.clone()))
        .col_expr(Column::ExpiresAt, Expr::val(minted.expires_at))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(PENDING));
    Ok(noted.exec(write.on()).await?.rows_affected == 1)
}

/// Makes a claimed key live and the live keys before it spent. Returns `false` if the claim was
/// lost.
pub async fn go_live(
    write: &Write<'_>,
    row: &Model,
    minted: &MintedKey,
    now: Timestamp,
) -> Result<bool> {
    let before = Entity::update_many()
        .col_expr(Column::State, Expr::val(SPENT))
        .col_expr(Column::SpentAt, Expr::val(now))
        .filter(Column::LinkId.eq(row.link_id))
        .filter(Column::Access.eq(row.access.as_str()))
        .filter(Column::Id.ne(row.id))
        .filter(Column::State.eq(LIVE));
    let this = Entity::update_many()
        .col_expr(Column::State, Expr::val(LIVE))
        .col_expr(Column::RemoteKeyId, Expr::val(minted.remote_key_id))
        .col_expr(Column::RoleId, Expr::val(minted.role_id))
        .col_expr(Column::SealedSecret, Expr::val(minted.sealed_secret.clone()))
        .col_expr(Column::RenewAt, Expr::val(minted.renew_at))
        .col_expr(Column::ExpiresAt, Expr::val(minted.expires_at))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(PENDING));
    if this.exec(write.on()).await?.rows_affected == 0 {
        return Ok(false);
    }
    before.exec(write.on()).await?;
    Ok(true)
}

/// Gives up a claim. If the request for the key was `sent`, the manager may have the key, and the
/// row of the claim becomes stray, so that cleanup searches the manager for keys of that name. It
/// replaces the stray rows of earlier claims with the same name: one search finds all their keys.
/// Returns `false` if the claim was lost.
pub async fn give_up(write: &Write<'_>, row: &Model, sent: bool, now: Timestamp) -> Result<bool> {
    let obsolete = if sent {
        Entity::delete_many()
            .filter(Column::KeyName.eq(row.key_name.as_str()))
            .filter(Column::RemoteKeyId.is_null())
            .filter(Column::State.eq(STRAY))
            // Another node that took the claim over has made its row stray already.
            .filter(Column::Id.ne(row.id))
    } else {
        Entity::delete_many().filter(Column::Id.eq(row.id)).filter(Column::State.eq(PENDING))
    };
    let deleted = obsolete.filter(Column::LinkId.eq(row.link_id)).exec(write.on()).await?;
    if sent {
        set_state(write, row.id, PENDING, STRAY, now).await
    } else {
        Ok(deleted.rows_affected == 1)
    }
}

async fn set_state(
    write: &Write<'_>,
    id: TenantKeyId,
    from: &str,
    to: &str,
    now: Timestamp,
) -> Result<bool> {
    let change = Entity::update_many()
        .col_expr(Column::State, Expr::val(to))
        .col_expr(Column::SpentAt, Expr::val(now))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(from));
    Ok(change.exec(write.on()).await?.rows_affected == 1)
}

/// Makes expired keys and keys of deleted links spent, and claims with an expired lease stray.
pub async fn retire(write: &Write<'_>, now: Timestamp) -> Result<()> {
    let unlinked = Expr::cust("link_id NOT IN (SELECT id FROM upstream_links)");
    let expired = Column::ExpiresAt.lte(now);
    let lease_expired = Column::LeaseUntil.lte(write.now().await?);
    let changes =
        [(LIVE, SPENT, unlinked), (LIVE, SPENT, expired), (PENDING, STRAY, lease_expired)];
    for (from, to, condition) in changes {
        Entity::update_many()
            .col_expr(Column::State, Expr::val(to))
            .col_expr(Column::SpentAt, Expr::val(now))
            .filter(Column::State.eq(from))
            .filter(condition)
            .exec(write.on())
            .await?;
    }
    Ok(())
}

/// Deletes the row of a key that no longer exists.
pub async fn forget(write: &Write<'_>, id: TenantKeyId) -> Result<()> {
    Entity::delete_many().filter(Column::Id.eq(id)).exec(write.on()).await?;
    Ok(())
}

/// Replaces a sealed secret by a new seal of it, unless it was changed in between.
pub async fn reseal(write: &Write<'_>, row: &Model, before: Vec<u8>, anew: Vec<u8>) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::SealedSecret, Expr::val(anew))
        .filter(Column::Id.eq(row.id))
        .filter(Column::SealedSecret.eq(before))
        .exec(write.on())
        .await?;
    Ok(())
}
