//! Finding a tenant's key: remembered, stored, or made by one node while the others wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use quick_cache::sync::Cache;
use tokio::time::{Instant, sleep};

use super::entity::{self, KeyGroup, Model};
use super::key::{KeySlot, TenantKey, lasts};
use super::mint::{self, KeyRequest};
use crate::auth::Authorizer;
use crate::clock::{Clock, Timestamp};
use crate::config::DeepSecurityConfig;
use crate::database::{Database, Write};
use crate::deep_security::client::with_upstream;
use crate::deep_security::model::KeyAccess;
use crate::deep_security::wire::SecretKey;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{LinkId, TenantKeyId};
use crate::outbound::{Flight, Operation, Outbound, ScopedKey, SingleFlight};
use crate::seal::MasterKey;
use crate::upstreams::{Connection, Upstreams};

/// How often one looks whether the node that makes a key is done.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// After so many keys in a row that may have been made for nothing, no other is asked for before a
/// pause: a manager that makes keys and does not let them be proven would soon be full of them.
const FAILURES_BEFORE_BACKOFF: u32 = 3;
const PAUSE: Duration = Duration::from_mins(1);

/// How often a key is looked for that is still good when it is found.
const ATTEMPTS: usize = 3;

/// How keys are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How this gateway calls itself in the names of keys.
    pub instance: String,
    /// How long a key lives.
    pub lifetime: Duration,
    /// For how long nobody else makes a key that one node began to make, once that node says
    /// nothing more.
    pub lease: Duration,
    /// The names of roles that may look at everything and change nothing.
    pub read_only_roles: Vec<String>,
}

impl From<&DeepSecurityConfig> for Settings {
    fn from(config: &DeepSecurityConfig) -> Self {
        Self {
            instance: config.instance.clone(),
            lifetime: config.key_lifetime,
            lease: config.mint_lease,
            read_only_roles: config.read_only_roles.clone(),
        }
    }
}

/// The tenants' keys.
pub struct Keys {
    pub(super) database: Arc<Database>,
    pub(super) master: Arc<MasterKey>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) authorizer: Arc<Authorizer>,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) outbound: Arc<Outbound>,
    pub(super) settings: Settings,
    held: Cache<KeySlot, Arc<TenantKey>>,
    /// When a key was last asked for that only removes others.
    pub(super) removers: Cache<KeyGroup, Instant>,
    refused: Cache<TenantKeyId, ()>,
    backoffs: Cache<KeySlot, Arc<Backoff>>,
    searches: SingleFlight<KeySlot, Result<Arc<TenantKey>>>,
}

/// A link belongs to one tenant and one installation, and the right says which of its keys.
impl ScopedKey for KeySlot {}

/// What the keys stand on.
pub struct Dependencies {
    /// Where they are kept.
    pub database: Arc<Database>,
    /// What seals them.
    pub master: Arc<MasterKey>,
    /// Where the ids of rows come from.
    pub entropy: Arc<dyn Entropy>,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// In whose scopes what is no longer used is removed.
    pub authorizer: Arc<Authorizer>,
    /// Where the installations stand.
    pub upstreams: Arc<Upstreams>,
    /// The way there.
    pub outbound: Arc<Outbound>,
}

/// Keys that were asked for in vain.
struct Backoff {
    count: u32,
    until: Instant,
    error: Error,
}

impl Keys {
    /// The keys in that database, of which at most `capacity` are remembered.
    pub fn new(dependencies: Dependencies, settings: Settings, capacity: usize) -> Self {
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
            held: Cache::new(capacity),
            removers: Cache::new(capacity),
            refused: Cache::new(capacity),
            backoffs: Cache::new(capacity),
            searches: SingleFlight::default(),
        }
    }

    /// A key for the tenant of the connection, of exactly this right. In use it costs no look into
    /// the database; when it has lived four fifths of its life, a new one is made behind the back
    /// of those who use it.
    ///
    /// # Errors
    /// `UPSTREAM_REJECTED` with the state of a tenant that is not active, or if it has no role that
    /// only reads; `UPSTREAM_UNAUTHORIZED` if the primary manager refuses the gateway; as every
    /// call.
    pub async fn key(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        access: KeyAccess,
        operation: &Operation,
    ) -> Result<Arc<TenantKey>> {
        let slot = slot(connection, access)?;
        let now = self.clock.now();
        if let Some(key) = self.held.get(&slot).filter(|key| self.is_good(key, connection, now)) {
            if key.is_to_be_renewed(now) {
                drop(self.search(connection, slot, operation, true));
            }
            return Ok(key);
        }
        for _ in 0..ATTEMPTS {
            let key = self.search(connection, slot, operation, false).await?;
            // The search may have begun before the key was refused, or the installation moved to
            // another place.
            if self.is_good(&key, connection, self.clock.now()) {
                return Ok(key);
            }
        }
        let error = Error::new(
            ErrorCode::UpstreamUnavailable,
            "the tenant's keys change too often at the moment",
        );
        Err(with_upstream(error, &connection.own_route(), None))
    }

    /// Another key in the place of one that was refused. However many were refused at once, on
    /// however many nodes, one is made.
    ///
    /// # Errors
    /// As [`Keys::key`].
    pub async fn replace(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        refused: &TenantKey,
        operation: &Operation,
    ) -> Result<Arc<TenantKey>> {
        self.refused.insert(refused.id, ());
        self.key(connection, refused.slot.access, operation).await
    }

    /// When the keys that are in use for links end; the one that may more, if a link has two.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn expire_at(&self, links: &[LinkId]) -> Result<HashMap<LinkId, Timestamp>> {
        let rows = entity::live_of(self.database.reader(), links, self.clock.now()).await?;
        let mut ends: HashMap<LinkId, (KeyAccess, Timestamp)> = HashMap::new();
        // Newest first: only a key with more rights takes the place of one that came before.
        for row in rows {
            let Some(slot) = row.slot() else { continue };
            let is_first = match ends.get(&slot.link) {
                None => true,
                Some((known, _)) => *known == KeyAccess::Read && slot.access == KeyAccess::Full,
            };
            if is_first {
                ends.insert(slot.link, (slot.access, row.expires_at));
            }
        }
        Ok(ends.into_iter().map(|(link, (_, end))| (link, end)).collect())
    }

    fn is_good(&self, key: &TenantKey, connection: &Connection, now: Timestamp) -> bool {
        key.fits(connection, now) && self.refused.get(&key.id).is_none()
    }

    /// The search for a key that is under way, else a new one; for a key that is not yet to be
    /// renewed, if `renewing`. It continues when its callers leave: what was begun upstream must be
    /// recorded.
    fn search(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        slot: KeySlot,
        operation: &Operation,
        renewing: bool,
    ) -> Flight<Result<Arc<TenantKey>>> {
        let start = || {
            let keys = self.clone();
            let request_id = operation.request_id().to_owned();
            let wanted = KeyRequest { connection: connection.clone(), slot, renewing, request_id };
            async move {
                let found = keys.find_or_make(&wanted).await;
                if let Err(error) = &found {
                    let code = error.code().as_str();
                    let tenant = wanted.connection.tenant;
                    tracing::warn!(code, %tenant, "no key for the tenant");
                }
                found
            }
            .boxed()
        };
        let lost = |error| Err(Error::internal(error));
        self.searches.join_or_spawn(slot, start, lost).flight
    }

    async fn find_or_make(&self, wanted: &KeyRequest) -> Result<Arc<TenantKey>> {
        let deadline = Instant::now() + mint::DEADLINE + self.settings.lease;
        loop {
            if let Some(key) = self.stored(wanted).await? {
                return Ok(self.hold(key));
            }
            if let Some(backoff) = self.backoffs.get(&wanted.slot).filter(|backoff| backoff.lasts())
            {
                return Err(backoff.error.clone());
            }
            if let Some(row) = self.claim(wanted).await? {
                return Ok(self.hold(self.mint(wanted, row).await?));
            }
            if Instant::now() >= deadline {
                let message = "another node was to make the tenant's key and did not";
                let error = Error::new(ErrorCode::UpstreamTimeout, message);
                return Err(with_upstream(error, &wanted.connection.own_route(), None));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Takes note that a key was asked for in vain.
    pub(super) fn note_failure(&self, slot: KeySlot, error: Error) {
        let count = self.backoffs.get(&slot).map_or(0, |before| before.count) + 1;
        self.backoffs
            .insert(slot, Arc::new(Backoff { count, until: Instant::now() + PAUSE, error }));
    }

    fn hold(&self, key: TenantKey) -> Arc<TenantKey> {
        self.backoffs.remove(&key.slot);
        let key = Arc::new(key);
        self.held.insert(key.slot, key.clone());
        key
    }

    async fn stored(&self, wanted: &KeyRequest) -> Result<Option<TenantKey>> {
        let now = self.clock.now();
        let row = entity::live(self.database.reader(), wanted.slot, now).await?;
        let row = row
            .filter(|row| lasts(row.expires_at, now) && (!wanted.renewing || row.renew_at > now));
        let key = row.map(|row| self.open(&row)).transpose()?.flatten();
        Ok(key.filter(|key| self.is_good(key, &wanted.connection, now)))
    }

    /// The key of a row; nothing if the row has none.
    pub(super) fn open(&self, row: &Model) -> Result<Option<TenantKey>> {
        let (Some(sealed), Some(slot)) = (&row.sealed_secret, row.slot()) else { return Ok(None) };
        let secret = String::from_utf8(self.master.open(&row.binding(), sealed)?)
            .ok()
            .and_then(SecretKey::parse);
        let secret = secret.ok_or_else(|| Error::internal("a sealed key is no text"))?;
        let place = (row.base_url.clone(), row.remote_tenant_id.clone());
        Ok(Some(TenantKey::new(row.id, slot, place, secret, (row.renew_at, row.expires_at))))
    }

    /// A claim to make a key, unless there is one by now, or another node is at it.
    async fn claim(&self, wanted: &KeyRequest) -> Result<Option<Model>> {
        let now = self.clock.now();
        let row = self.planned(wanted, now);
        let claim = async |write: Arc<Write<'_>>| {
            // On SQLite writers take turns: what the one before made is seen here.
            if self.stored(wanted).await?.is_some() {
                return Ok(false);
            }
            entity::claim(&write, row.clone(), self.settings.lease, now).await
        };
        if !self.database.transaction(claim).await? {
            return Ok(None);
        }
        // On PostgreSQL another node may have been done between the look and the claim.
        if self.stored(wanted).await?.is_some() {
            self.give_up(&row, false).await?;
            return Ok(None);
        }
        Ok(Some(row))
    }

    pub(super) async fn give_up(&self, row: &Model, sent: bool) -> Result<()> {
        let now = self.clock.now();
        let give_up = async |write: Arc<Write<'_>>| entity::give_up(&write, row, sent, now).await;
        self.database.transaction(give_up).await
    }
}

impl Backoff {
    /// Whether no other key is to be asked for yet.
    fn lasts(&self) -> bool {
        self.count >= FAILURES_BEFORE_BACKOFF && Instant::now() < self.until
    }
}

fn slot(connection: &Connection, access: KeyAccess) -> Result<KeySlot> {
    let link =
        connection.link.ok_or_else(|| Error::internal("a key for a tenant that is not linked"))?;
    Ok(KeySlot { link, access })
}

/// Seals with the present master key what the one before sealed, one key at a time: it may be
/// stopped and run again. Says how many keys were sealed anew.
///
/// # Errors
/// If the database refuses, or a key was sealed by neither of the two.
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
