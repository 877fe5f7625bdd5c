//! The table of tenants' keys.

use std::time::Duration;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{IntoActiveModel, QueryOrder, TryInsertResult};

use super::key::KeySlot;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::deep_security::model::KeyAccess;
use crate::error::Result;
use crate::ids::{LinkId, TenantId, TenantKeyId, UpstreamId};

/// Asked for; written down before the call goes out, so that what a process that dies leaves behind
/// is known.
const PENDING: &str = "PENDING";
/// In use.
const LIVE: &str = "LIVE";
/// No longer used, and still to be removed at the far side.
const SPENT: &str = "SPENT";
/// Asked for, and nobody knows whether it was made: to be looked for by its name.
const STRAY: &str = "STRAY";

/// A key of a tenant of an installation.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenantKeyId,
    pub tenant_id: TenantId,
    pub upstream_id: UpstreamId,
    pub link_id: LinkId,
    pub remote_tenant_id: String,
    pub base_url: String,
    /// `READ` or `FULL`.
    pub access: String,
    pub state: String,
    /// The name of the gateway that made it.
    pub instance: String,
    pub key_name: String,
    pub remote_key_id: Option<i64>,
    pub role_id: Option<i64>,
    pub sealed_secret: Option<Vec<u8>>,
    pub created_at: Timestamp,
    pub renew_at: Timestamp,
    pub expires_at: Timestamp,
    pub lease_until: Timestamp,
    pub spent_at: Option<Timestamp>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantKey")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// For whom it is.
    pub fn slot(&self) -> Option<KeySlot> {
        KeyAccess::from_name(&self.access).map(|access| KeySlot { link: self.link_id, access })
    }

    /// Whether it is in use.
    pub fn is_live(&self) -> bool {
        self.state == LIVE
    }

    /// Whether it is about to be made.
    pub fn is_pending(&self) -> bool {
        self.state == PENDING
    }

    /// Whether it was proven to be the tenant's: in use, or it was.
    pub fn is_verified(&self) -> bool {
        [LIVE, SPENT].contains(&&*self.state)
    }

    /// Whether nobody knows if it was made.
    pub fn is_stray(&self) -> bool {
        self.state == STRAY
    }

    /// The place of its secret, to which the seal is bound: the row, the tenant and the
    /// installation.
    pub fn binding(&self) -> String {
        format!("tenant_key:{}:{}:{}", self.tenant_id, self.upstream_id, self.id)
    }
}

impl Entity {
    fn of(slot: KeySlot, state: &str) -> Select<Self> {
        let found = Self::find()
            .filter(Column::LinkId.eq(slot.link))
            .filter(Column::Access.eq(slot.access.as_str()));
        found.filter(Column::State.eq(state))
    }
}

/// The newest key in use that ends after that moment.
pub async fn live(
    on: &impl ConnectionTrait,
    slot: KeySlot,
    ends_after: Timestamp,
) -> Result<Option<Model>> {
    let found = Entity::of(slot, LIVE)
        .filter(Column::ExpiresAt.gt(ends_after))
        .order_by_desc(Column::CreatedAt);
    Ok(found.one(on).await?)
}

/// The keys in use of these links that end after that moment, newest first.
pub async fn live_of(
    on: &impl ConnectionTrait,
    links: &[LinkId],
    ends_after: Timestamp,
) -> Result<Vec<Model>> {
    let found = Entity::find()
        .filter(Column::LinkId.is_in(links.iter().copied()))
        .filter(Column::State.eq(LIVE))
        .filter(Column::ExpiresAt.gt(ends_after))
        .order_by_desc(Column::CreatedAt);
    Ok(found.all(on).await?)
}

/// The role of the newest key that there was.
pub async fn last_role(on: &impl ConnectionTrait, slot: KeySlot) -> Result<Option<i64>> {
    let found = Entity::find()
        .filter(Column::LinkId.eq(slot.link))
        .filter(Column::Access.eq(slot.access.as_str()))
        .filter(Column::RoleId.is_not_null())
        .order_by_desc(Column::CreatedAt);
    Ok(found.one(on).await?.and_then(|row| row.role_id))
}

/// Every key of a tenant of the installation at that base URL, by whichever registration of it they
/// were made.
pub async fn all_at(
    on: &impl ConnectionTrait,
    base_url: &str,
    remote_tenant: &str,
) -> Result<Vec<Model>> {
    let at = Entity::find()
        .filter(Column::BaseUrl.eq(base_url))
        .filter(Column::RemoteTenantId.eq(remote_tenant));
    Ok(at.order_by_asc(Column::CreatedAt).all(on).await?)
}

/// Every key, for the operator of the machine, who changes the master key.
pub async fn all_rows(on: &impl ConnectionTrait) -> Result<Vec<Model>> {
    Ok(Entity::find().all(on).await?)
}

/// Writes down that a key is about to be made. Nobody else makes one for the same slot until it is
/// made or its lease is over, by the database's clock; what an expired lease may have left behind
/// becomes a stray.
///
/// Says whether the row is there: not if another node is at it.
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

/// Keeps others from making a pending key for so much longer.
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

/// What a pending key became.
pub struct MintedKey {
    /// The vendor's id.
    pub remote_key_id: i64,
    /// Its role.
    pub role_id: i64,
    /// Its secret, sealed.
    pub sealed_secret: Vec<u8>,
    /// When it is to be renewed.
    pub renew_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// Writes down the key that the answer to a claim's call showed, before anything else is done with
/// it: whatever becomes of this process, the key can then be removed with its own secret. Says
/// whether the claim is still pending.
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

/// Puts a pending key into use, and the ones before it out of use. Says whether it was still
/// pending.
pub async fn go_live(
    write: &Write<'_>,
    row: &Model,
    made: &MintedKey,
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
        .col_expr(Column::RemoteKeyId, Expr::val(made.remote_key_id))
        .col_expr(Column::RoleId, Expr::val(made.role_id))
        .col_expr(Column::SealedSecret, Expr::val(made.sealed_secret.clone()))
        .col_expr(Column::RenewAt, Expr::val(made.renew_at))
        .col_expr(Column::ExpiresAt, Expr::val(made.expires_at))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(PENDING));
    if this.exec(write.on()).await?.rows_affected == 0 {
        return Ok(false);
    }
    before.exec(write.on()).await?;
    Ok(true)
}

/// Gives a claim up. Where the call was sent, a key may be there all the same; strays of one name
/// are looked for together, so that one row is enough for all of them.
pub async fn give_up(write: &Write<'_>, row: &Model, sent: bool, now: Timestamp) -> Result<()> {
    let unused = match sent {
        true => Entity::delete_many()
            .filter(Column::KeyName.eq(row.key_name.as_str()))
            .filter(Column::RemoteKeyId.is_null())
            .filter(Column::State.eq(STRAY)),
        false => {
            Entity::delete_many().filter(Column::Id.eq(row.id)).filter(Column::State.eq(PENDING))
        }
    };
    unused.filter(Column::LinkId.eq(row.link_id)).exec(write.on()).await?;
    if sent { set_state(write, row.id, PENDING, STRAY, now).await } else { Ok(()) }
}

async fn set_state(
    write: &Write<'_>,
    id: TenantKeyId,
    from: &str,
    to: &str,
    now: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::State, Expr::val(to))
        .col_expr(Column::SpentAt, Expr::val(now))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(from))
        .exec(write.on())
        .await?;
    Ok(())
}

/// Puts out of use the keys that have ended and those of links that are gone, and makes strays of
/// claims whose lease is over.
pub async fn retire(write: &Write<'_>, now: Timestamp) -> Result<()> {
    let gone = Expr::cust("link_id NOT IN (SELECT id FROM upstream_links)");
    let ended = Column::ExpiresAt.lte(now);
    let over = Column::LeaseUntil.lte(write.now().await?);
    for (from, to, which) in [(LIVE, SPENT, gone), (LIVE, SPENT, ended), (PENDING, STRAY, over)] {
        Entity::update_many()
            .col_expr(Column::State, Expr::val(to))
            .col_expr(Column::SpentAt, Expr::val(now))
            .filter(Column::State.eq(from))
            .filter(which)
            .exec(write.on())
            .await?;
    }
    Ok(())
}

/// The keys of one tenant of an installation. Any of them that may delete keys may delete the
/// others, for whichever link and for whichever tenant of ours they were made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyGroup {
    /// Where they were made.
    pub base_url: String,
    /// By which registration of it.
    pub upstream: UpstreamId,
    /// For which tenant there.
    pub remote_tenant_id: String,
}

impl KeyGroup {
    /// The group that a key belongs to.
    pub fn of(row: &Model) -> Self {
        Self {
            base_url: row.base_url.clone(),
            upstream: row.upstream_id,
            remote_tenant_id: row.remote_tenant_id.clone(),
        }
    }
}

/// The groups with strays, or with keys that were put out of use before that moment; in order.
pub async fn groups_to_clean_up(
    on: &impl ConnectionTrait,
    before: Timestamp,
) -> Result<Vec<KeyGroup>> {
    let spent = Column::State.eq(SPENT).and(Column::SpentAt.lte(before));
    let old = Entity::find().filter(Column::State.eq(STRAY).or(spent));
    let mut groups: Vec<_> = old.all(on).await?.iter().map(KeyGroup::of).collect();
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

/// Forgets a key that is not there any more.
pub async fn forget(write: &Write<'_>, id: TenantKeyId) -> Result<()> {
    Entity::delete_many().filter(Column::Id.eq(id)).exec(write.on()).await?;
    Ok(())
}

/// Replaces a sealed secret by another seal of it, unless it was replaced meanwhile.
pub async fn reseal(write: &Write<'_>, row: &Model, before: Vec<u8>, anew: Vec<u8>) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::SealedSecret, Expr::val(anew))
        .filter(Column::Id.eq(row.id))
        .filter(Column::SealedSecret.eq(before))
        .exec(write.on())
        .await?;
    Ok(())
}
