//! The table of tenants' keys.

mod changes;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{QueryOrder, QuerySelect};

use crate::clock::Timestamp;
use crate::deep_security::keys::key::{KeyLifetime, KeyOrigin, KeySlot};
use crate::deep_security::model::KeyAccess;
use crate::error::Result;
use crate::ids::{LinkId, TenantId, TenantKeyId, UpstreamId};

pub use changes::{
    MintedKey, claim, forget, give_up, go_live, note_minted, renew_lease, reseal, retire,
};

/// Claimed: recorded before the key is requested, so that a crash leaves a trace of it.
const PENDING: &str = "PENDING";
/// In use.
const LIVE: &str = "LIVE";
/// No longer used, still to be deleted at the manager.
const SPENT: &str = "SPENT";
/// Requested, and it is unknown whether it exists: to be searched by its name.
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
    /// The name of the gateway that minted it.
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

/// No relations: statements join by ids.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its purpose; `None` for an access of a later version.
    pub fn slot(&self) -> Option<KeySlot> {
        KeyAccess::from_name(&self.access).map(|access| KeySlot { link: self.link_id, access })
    }

    /// Whether it is in use.
    pub fn is_live(&self) -> bool {
        self.state == LIVE
    }

    /// Whether a node has claimed it and may be minting it.
    pub fn is_pending(&self) -> bool {
        self.state == PENDING
    }

    /// Whether the key was verified to be the tenant's: it is or was in use.
    pub fn is_verified(&self) -> bool {
        [LIVE, SPENT].contains(&&*self.state)
    }

    /// Whether it is unknown if the key exists.
    pub fn is_stray(&self) -> bool {
        self.state == STRAY
    }

    /// The manager and tenant at which the key is valid.
    pub fn origin(&self) -> KeyOrigin {
        let base_url = self.base_url.clone();
        KeyOrigin { base_url, remote_tenant_id: self.remote_tenant_id.clone() }
    }

    /// When the key is renewed and when it expires.
    pub fn lifetime(&self) -> KeyLifetime {
        KeyLifetime { renew_at: self.renew_at, expires_at: self.expires_at }
    }

    /// The context that the seal of its secret is bound to: the tenant, the installation, the row.
    pub fn binding(&self) -> String {
        format!("tenant_key:{}:{}:{}", self.tenant_id, self.upstream_id, self.id)
    }
}

/// How many keys there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyFigures {
    /// Claimed: a node may be minting it.
    pub pending: u64,
    /// In use.
    pub live: u64,
    /// No longer used, still to be deleted at the manager.
    pub spent: u64,
    /// Requested without an answer: to be searched at the manager and deleted.
    pub stray: u64,
    /// When the first of the keys in use expires.
    pub first_expiry: Option<Timestamp>,
}

impl Entity {
    fn of(slot: KeySlot, state: &str) -> Select<Self> {
        let found = Self::find()
            .filter(Column::LinkId.eq(slot.link))
            .filter(Column::Access.eq(slot.access.as_str()));
        found.filter(Column::State.eq(state))
    }
}

/// The newest live key that expires after that moment.
pub async fn live(
    on: &impl ConnectionTrait,
    slot: KeySlot,
    expires_after: Timestamp,
) -> Result<Option<Model>> {
    let found = Entity::of(slot, LIVE)
        .filter(Column::ExpiresAt.gt(expires_after))
        .order_by_desc(Column::CreatedAt);
    Ok(found.one(on).await?)
}

/// The live keys of these links that expire after that moment, newest first.
pub async fn live_of(
    on: &impl ConnectionTrait,
    links: &[LinkId],
    expires_after: Timestamp,
) -> Result<Vec<Model>> {
    let found = Entity::find()
        .filter(Column::LinkId.is_in(links.iter().copied()))
        .filter(Column::State.eq(LIVE))
        .filter(Column::ExpiresAt.gt(expires_after))
        .order_by_desc(Column::CreatedAt);
    Ok(found.all(on).await?)
}

/// The role of the newest key, in use or not.
pub async fn last_role(on: &impl ConnectionTrait, slot: KeySlot) -> Result<Option<i64>> {
    let found = Entity::find()
        .filter(Column::LinkId.eq(slot.link))
        .filter(Column::Access.eq(slot.access.as_str()))
        .filter(Column::RoleId.is_not_null())
        .order_by_desc(Column::CreatedAt);
    Ok(found.one(on).await?.and_then(|row| row.role_id))
}

/// Every key of a tenant of the installation at that base URL, whichever upstream it was minted
/// through.
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

/// Every key, for a change of the master key by the operator.
pub async fn all_rows(on: &impl ConnectionTrait) -> Result<Vec<Model>> {
    Ok(Entity::find().all(on).await?)
}

/// Each state that keys are in, with how many there are and when the first of them expires.
async fn states(on: &impl ConnectionTrait) -> Result<Vec<(String, i64, Option<Timestamp>)>> {
    let states = Entity::find()
        .select_only()
        .column(Column::State)
        .column_as(Column::Id.count(), "number")
        .column_as(Column::ExpiresAt.min(), "first_end")
        .group_by(Column::State);
    Ok(states.into_tuple().all(on).await?)
}

/// The number of keys of all tenants by state, and the first expiry of one in use: for figures of
/// the whole gateway, which name no tenant.
///
/// # Errors
/// If the database cannot be read.
pub async fn figures(on: &impl ConnectionTrait) -> Result<KeyFigures> {
    let found = states(on).await?;
    let of = |name: &str| found.iter().find(|(state, ..)| state == name);
    let number = |name| of(name).map_or(0, |(_, number, _)| number.unsigned_abs());
    Ok(KeyFigures {
        pending: number(PENDING),
        live: number(LIVE),
        spent: number(SPENT),
        stray: number(STRAY),
        first_expiry: of(LIVE).and_then(|(.., first_end)| *first_end),
    })
}

/// The keys of one tenant of an installation. Any key of full access can delete the others,
/// whichever link and gateway tenant they were minted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyGroup {
    /// The base URL of the installation.
    pub base_url: String,
    /// The upstream that they were minted through.
    pub upstream: UpstreamId,
    /// The tenant of the installation.
    pub remote_tenant_id: String,
}

impl KeyGroup {
    /// The group of a key.
    pub fn of(row: &Model) -> Self {
        Self {
            base_url: row.base_url.clone(),
            upstream: row.upstream_id,
            remote_tenant_id: row.remote_tenant_id.clone(),
        }
    }
}

/// The groups with stray keys or with keys spent before that moment, sorted.
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
