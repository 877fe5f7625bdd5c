//! The dependencies, the cached keys and the backoff of this node.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::entity::{self, KeyGroup, Model};
use super::key::{KeySlot, TenantKey};
use super::settings::KeySettings;
use crate::auth::Authorizer;
use crate::clock::Clock;
use crate::database::{Database, Write};
use crate::deep_security::wire::SecretKey;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::TenantKeyId;
use crate::outbound::{Outbound, ScopedKey, SingleFlight};
use crate::seal::MasterKey;
use crate::upstreams::Upstreams;

/// The number of consecutive failures to mint a key before the gateway pauses. Each failure may
/// leave a key at the manager: without the pause, a manager whose new keys cannot be verified would
/// fill up with them.
const FAILURES_BEFORE_BACKOFF: u32 = 3;
/// The length of the pause.
const BACKOFF: Duration = Duration::from_mins(1);

/// The keys of all tenants.
pub struct Keys {
    pub(super) database: Arc<Database>,
    pub(super) master: Arc<MasterKey>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) authorizer: Arc<Authorizer>,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) outbound: Arc<Outbound>,
    pub(super) settings: KeySettings,
    pub(super) refused: Cache<TenantKeyId, ()>,
    /// When a [`Remover`](super::remover::Remover) was last requested.
    pub(super) removers: Cache<KeyGroup, Instant>,
    pub(super) searches: SingleFlight<KeySlot, Result<Arc<TenantKey>>>,
    cached: Cache<KeySlot, Arc<TenantKey>>,
    backoffs: Cache<KeySlot, Arc<Backoff>>,
}

/// The dependencies of the keys.
pub struct Dependencies {
    /// Stores the keys.
    pub database: Arc<Database>,
    /// Seals their secrets.
    pub master: Arc<MasterKey>,
    /// Generates the ids of rows.
    pub entropy: Arc<dyn Entropy>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Authorizes the scopes in which unused keys are deleted.
    pub authorizer: Arc<Authorizer>,
    /// Knows the installations.
    pub upstreams: Arc<Upstreams>,
    /// Sends the calls.
    pub outbound: Arc<Outbound>,
}

/// A link belongs to one tenant and one installation; its keys differ by access.
impl ScopedKey for KeySlot {}

/// Consecutive failures to mint a key.
struct Backoff {
    failures: u32,
    until: Instant,
    error: Error,
}

impl Keys {
    /// The keys in a database, at most `capacity` of them cached.
    pub fn new(dependencies: Dependencies, settings: KeySettings, capacity: usize) -> Self {
        let Dependencies { database, master, entropy, clock, authorizer, upstreams, outbound } =
            dependencies;
        Self {
            database,
            master,
            entropy,
            clock,
            authorizer,
            upstreams,
            outbound,
            settings,
            refused: Cache::new(capacity),
            removers: Cache::new(capacity),
            searches: SingleFlight::default(),
            cached: Cache::new(capacity),
            backoffs: Cache::new(capacity),
        }
    }

    pub(super) fn cached(&self, slot: KeySlot) -> Option<Arc<TenantKey>> {
        self.cached.get(&slot)
    }

    /// Caches a key and ends the backoff of its slot.
    pub(super) fn cache(&self, key: TenantKey) -> Arc<TenantKey> {
        self.backoffs.remove(&key.slot);
        let key = Arc::new(key);
        self.cached.insert(key.slot, key.clone());
        key
    }

    /// Counts a failure after which the manager may have a key that nobody uses.
    pub(super) fn note_failure(&self, slot: KeySlot, error: Error) {
        let failures = self.backoffs.get(&slot).map_or(0, |before| before.failures) + 1;
        let until = Instant::now() + BACKOFF;
        self.backoffs.insert(slot, Arc::new(Backoff { failures, until, error }));
    }

    /// Fails with the latest error while a slot is in backoff.
    pub(super) fn check_backoff(&self, slot: KeySlot) -> Result<()> {
        match self.backoffs.get(&slot).filter(|backoff| backoff.is_active()) {
            Some(backoff) => Err(backoff.error.clone()),
            None => Ok(()),
        }
    }

    /// Opens the key of a row; `None` for a row without a secret.
    pub(super) fn open(&self, row: &Model) -> Result<Option<TenantKey>> {
        let (Some(sealed), Some(slot)) = (&row.sealed_secret, row.slot()) else { return Ok(None) };
        let secret = String::from_utf8(self.master.open(&row.binding(), sealed)?)
            .ok()
            .and_then(SecretKey::parse);
        let secret = secret.ok_or_else(|| Error::internal("a sealed key is not a secret key"))?;
        Ok(Some(TenantKey::new(row.id, slot, row.origin(), secret, row.lifetime())))
    }

    /// Gives up a claim. If the call was `sent`, the key may exist and is recorded as stray. Returns
    /// `false` if the claim was lost.
    pub(super) async fn give_up(&self, row: &Model, sent: bool) -> Result<bool> {
        let now = self.clock.now();
        let give_up = async |write: Arc<Write<'_>>| entity::give_up(&write, row, sent, now).await;
        self.database.transaction(give_up).await
    }
}

impl Backoff {
    fn is_active(&self) -> bool {
        self.failures >= FAILURES_BEFORE_BACKOFF && Instant::now() < self.until
    }
}
