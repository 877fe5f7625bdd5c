//! The signing keys: created on first use, sealed in the database, shared by all nodes.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, JwkSet};

use super::algorithm::Algorithm;
use super::entity::{self, binding};
use super::rotation::Rotation;
use super::signer::Signer;
use crate::clock::{MonotonicTime, Timestamp};
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::KeyId;

/// The pause before unknown key ids are looked up again: invented ids must not cost a query each.
const RELOAD_PAUSE: Duration = Duration::from_secs(1);

/// How long the row of a retired key is kept, by the database's time. The margin is wide because
/// the clock of a database may be set too.
const KEPT_AFTER_RETIREMENT: Duration = Duration::from_hours(24);

/// An unsealed key of the ring.
#[derive(Clone)]
pub struct SigningKey {
    /// The `kid`.
    pub id: KeyId,
    /// Its algorithm.
    pub algorithm: Algorithm,
    pub(super) signer: Arc<Signer>,
    pub(super) decoding: DecodingKey,
    public: Jwk,
    active_from: Timestamp,
    retired_at: Option<Timestamp>,
}

impl SigningKey {
    /// Whether it may sign a token now: it has been published for long enough, and stays published
    /// until the token expires.
    fn may_sign(&self, now: Timestamp, token_lifetime: Duration) -> bool {
        self.active_from <= now && self.retired_at.is_none_or(|end| now.plus(token_lifetime) <= end)
    }

    fn is_gone(&self, now: Timestamp) -> bool {
        self.retired_at.is_some_and(|end| end <= now)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// All keys of the deployment, as this node last read them. Before a key signs or verifies they are
/// read again if that was longer ago than `max_age`: another node, or the operator, may have
/// revoked one.
pub struct KeyRing {
    rotation: Rotation,
    max_age: Duration,
    read: RwLock<Arc<KeysRead>>,
    reloading: tokio::sync::Mutex<()>,
    // When a key id that was not found was last looked for.
    searched: tokio::sync::Mutex<Option<MonotonicTime>>,
}

/// The keys as the database had them at one moment.
struct KeysRead {
    /// Newest first.
    keys: Vec<Arc<SigningKey>>,
    at: MonotonicTime,
}

impl KeyRing {
    /// Reads the keys, and creates one if there is none of the configured algorithm.
    ///
    /// # Errors
    /// If the database cannot be asked, or the master key is not the one that sealed the keys.
    pub async fn open(rotation: Rotation, max_age: Duration) -> Result<Self> {
        let none = KeysRead { keys: Vec::new(), at: rotation.clock.monotonic() };
        let (reloading, searched) = Default::default();
        let ring =
            Self { rotation, max_age, read: RwLock::new(Arc::new(none)), reloading, searched };
        ring.load(Unopened::Refuse).await?;
        ring.rotation.rotate_if_due().await?;
        ring.load(Unopened::Refuse).await?;
        Ok(ring)
    }

    /// The key that signs: the newest of the wanted algorithm that may. While a first key of that
    /// algorithm waits, the newest of any.
    ///
    /// # Errors
    /// If there is none, which [`KeyRing::open`] prevents.
    pub fn current(&self) -> Result<Arc<SigningKey>> {
        let read = self.read();
        let now = self.rotation.clock.now();
        let lifetime = self.rotation.schedule.token_lifetime;
        let ready = || read.keys.iter().filter(|key| key.may_sign(now, lifetime));
        let wanted = ready().find(|key| key.algorithm == self.rotation.algorithm);
        // If the clock was set back, no key is active: most verifiers know the oldest one.
        let signing = wanted.or_else(|| ready().next()).or_else(|| read.keys.last());
        signing.cloned().ok_or_else(|| Error::internal("the key ring is empty"))
    }

    /// The key with that id, unless it is gone or was revoked; keys made by other nodes since are
    /// found too.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn find(&self, id: KeyId) -> Result<Option<Arc<SigningKey>>> {
        let clock = &self.rotation.clock;
        self.freshen().await?;
        let known = || {
            let now = clock.now();
            self.read().keys.iter().find(|key| key.id == id && !key.is_gone(now)).cloned()
        };
        if let Some(key) = known() {
            return Ok(Some(key));
        }
        let mut last = self.searched.lock().await;
        let now = clock.monotonic();
        if last.is_none_or(|last| now.since(last) >= RELOAD_PAUSE) {
            *last = Some(now);
            // Boxed: keeps the cold path out of the hot future's size.
            self.load(Unopened::Skip).boxed().await?;
        }
        Ok(known())
    }

    /// Reads the keys again if they are older than `auth.access_cache_ttl`.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn freshen(&self) -> Result<()> {
        let is_fresh = || self.rotation.clock.monotonic().since(self.read().at) < self.max_age;
        if is_fresh() {
            return Ok(());
        }
        // Boxed, as above.
        let reload = async {
            let _guard = self.reloading.lock().await;
            if is_fresh() { Ok(()) } else { self.load(Unopened::Skip).await }
        };
        reload.boxed().await
    }

    /// The public halves of all keys that sign, will sign, or signed tokens that may be alive (RFC
    /// 7517, section 5).
    pub fn published(&self) -> JwkSet {
        let read = self.read();
        let now = self.rotation.clock.now();
        JwkSet {
            keys: read
                .keys
                .iter()
                .filter(|key| !key.is_gone(now))
                .map(|key| key.public.clone())
                .collect(),
        }
    }

    /// Rotates if due, deletes retired keys, and reads the keys of other nodes.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn refresh(&self) -> Result<()> {
        self.rotation.rotate_if_due().await?;
        let before = self.rotation.clock.now().minus(KEPT_AFTER_RETIREMENT);
        let forget =
            async |write: Arc<Write<'_>>| Ok(entity::forget_retired(write.on(), before).await?);
        self.rotation.database.transaction(forget).await?;
        self.load(Unopened::Skip).await
    }

    fn read(&self) -> Arc<KeysRead> {
        self.read.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn load(&self, unopened: Unopened) -> Result<()> {
        // Taken before the query: the answer is at least as old.
        let known = self.read();
        let at = self.rotation.clock.monotonic();
        let mut keys = Vec::new();
        for row in entity::all(self.rotation.database.reader()).await? {
            let id = row.id;
            let opened = known.keys.iter().find(|key| key.id == row.id);
            let key = match opened {
                // Unsealed keys stay usable while the master key of a running node is rotated.
                Some(key) => {
                    Ok(SigningKey { retired_at: row.retired_at, ..SigningKey::clone(key) })
                }
                None => self.unseal(row),
            };
            match (key, unopened) {
                (Ok(key), _) => keys.push(Arc::new(key)),
                (Err(error), Unopened::Refuse) => return Err(error),
                (Err(error), Unopened::Skip) => {
                    tracing::error!(
                        kid = %id,
                        "a signing key cannot be unsealed: its tokens are refused on this node"
                    );
                    error.log_cause();
                }
            }
        }
        *self.read.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(KeysRead { keys, at });
        Ok(())
    }

    fn unseal(&self, row: entity::Model) -> Result<SigningKey> {
        let algorithm: Algorithm = row.algorithm.parse()?;
        let private = self.rotation.master.open(&binding(row.id), &row.sealed_private_key)?;
        let public: Jwk = serde_json::from_str(&row.public_jwk).map_err(Error::internal)?;
        Ok(SigningKey {
            id: row.id,
            algorithm,
            signer: Arc::new(Signer::open(row.id, algorithm, &private)?),
            decoding: DecodingKey::from_jwk(&public).map_err(Error::internal)?,
            public,
            active_from: row.active_from,
            retired_at: row.retired_at,
        })
    }
}

/// The handling of a key that cannot be unsealed.
#[derive(Clone, Copy)]
enum Unopened {
    /// Fail at start: a wrong master key must not look like an empty database.
    Refuse,
    /// Skip it later: another node may have a newer master key, and this one continues with its
    /// keys.
    Skip,
}
