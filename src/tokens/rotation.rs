//! Creates signing keys and seals them again.

use std::sync::Arc;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};

use super::algorithm::Algorithm;
use super::entity::{self, binding};
use super::schedule::Schedule;
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::KeyId;
use crate::seal::MasterKey;

/// A created key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Its `kid`.
    pub id: KeyId,
    /// The name of its algorithm.
    pub algorithm: String,
    /// When it begins to sign. It is published already.
    pub active_from: Timestamp,
}

/// A generated key that is not stored yet.
struct NewKey {
    id: KeyId,
    /// PKCS #8.
    private: Vec<u8>,
}

impl NewKey {
    fn generate(rotation: &Rotation) -> Result<Self> {
        Ok(Self { id: KeyId::random(&*rotation.entropy), private: rotation.algorithm.generate()? })
    }
}

/// Creates signing keys for all nodes. If several nodes rotate at once, one succeeds and all use
/// its key: generations are unique.
pub struct Rotation {
    pub(super) database: Arc<Database>,
    pub(super) master: Arc<MasterKey>,
    pub(super) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pub(super) algorithm: Algorithm,
    pub(super) schedule: Schedule,
}

impl Rotation {
    /// Creates keys of that algorithm on that schedule.
    pub fn new(
        database: Arc<Database>,
        master: Arc<MasterKey>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        algorithm: Algorithm,
        schedule: Schedule,
    ) -> Self {
        Self { database, master, clock, entropy, algorithm, schedule }
    }

    /// Creates a successor of the present key now. Running nodes read it by themselves.
    ///
    /// # Errors
    /// If the database refuses, or a stored key was sealed by a master key that this process does
    /// not have.
    pub async fn rotate(&self) -> Result<Rotated> {
        loop {
            // Another node rotated at this moment: try again with its key as predecessor.
            if let Some(made) = self.make(|_| true).await? {
                return Ok(made);
            }
        }
    }

    /// Creates a key if there is none of the configured algorithm, or if its rotation is due.
    ///
    /// # Errors
    /// As [`Rotation::rotate`].
    pub async fn rotate_if_due(&self) -> Result<Option<Rotated>> {
        if self.is_due(&entity::all(self.database.reader()).await?) {
            self.make(|keys| self.is_due(keys)).await
        } else {
            Ok(None)
        }
    }

    fn is_due(&self, keys: &[entity::Model]) -> bool {
        let wanted = |key: &&entity::Model| {
            key.algorithm == self.algorithm.name() && key.retired_at.is_none()
        };
        let newest = keys.iter().find(wanted);
        newest.is_none_or(|key| self.schedule.is_due(key.active_from, self.clock.now()))
    }

    /// Deletes a compromised key and creates another that signs at once. Each node refuses its
    /// tokens and publishes the key set without it as soon as it reads the keys again.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such key; else as [`Rotation::rotate`].
    pub async fn revoke(&self, id: KeyId) -> Result<Rotated> {
        let new = NewKey::generate(self)?;
        let made = self.database.transaction(|write| self.revoke_in(write, id, &new)).await?;
        tracing::warn!(kid = %id, successor = %made.id, "signing key revoked");
        Ok(made)
    }

    async fn revoke_in(&self, write: Arc<Write<'_>>, id: KeyId, new: &NewKey) -> Result<Rotated> {
        let keys = entity::all(write.on()).await?;
        self.require_own(&keys)?;
        if !entity::delete(write.on(), id).await? {
            return Err(Error::not_found("signing key"));
        }
        let made = self.add(&write, new, &keys, self.clock.now()).await?;
        // Another node rotated at this moment: the retry has its key as predecessor.
        made.ok_or_else(|| Error::write_conflict("another signing key was made at the same time"))
    }

    async fn make(&self, wanted: impl Fn(&[entity::Model]) -> bool) -> Result<Option<Rotated>> {
        // Before the transaction: generating an RSA key takes a while.
        let new = NewKey::generate(self)?;
        let made = self.database.transaction(|write| self.make_in(write, &wanted, &new)).await?;
        if let Some(made) = &made {
            tracing::info!(
                kid = %made.id, algorithm = made.algorithm, active_from = %made.active_from,
                "signing key made"
            );
        }
        Ok(made)
    }

    async fn make_in(
        &self,
        write: Arc<Write<'_>>,
        wanted: &impl Fn(&[entity::Model]) -> bool,
        new: &NewKey,
    ) -> Result<Option<Rotated>> {
        let keys = entity::all(write.on()).await?;
        if !wanted(&keys) {
            return Ok(None);
        }
        self.require_own(&keys)?;
        let now = self.clock.now();
        // The first key need not wait for verifiers.
        let is_first = keys.iter().all(|key| key.retired_at.is_some_and(|end| end <= now));
        let active_from = if is_first { now } else { self.schedule.active_from(now) };
        self.add(&write, new, &keys, active_from).await
    }

    /// Inserts a key as the successor of these keys. Returns nothing if another node was first.
    async fn add(
        &self,
        write: &Write<'_>,
        new: &NewKey,
        keys: &[entity::Model],
        active_from: Timestamp,
    ) -> Result<Option<Rotated>> {
        let id = new.id;
        let now = self.clock.now();
        let public = self.public_half(id, &new.private)?;
        let key = entity::Model {
            id,
            generation: keys.first().map_or(0, |key| key.generation) + 1,
            algorithm: self.algorithm.name().to_owned(),
            public_jwk: serde_json::to_string(&public).map_err(Error::internal)?,
            sealed_private_key: self.master.seal(&*self.entropy, &binding(id), &new.private),
            created_at: now,
            active_from,
            retired_at: None,
        };
        if !entity::insert_if_first(write.on(), key.clone()).await? {
            return Ok(None);
        }
        let unused_since = self.schedule.unused_since(now);
        entity::retire_before(write.on(), &key, unused_since, Schedule::retired_at(active_from))
            .await?;
        Ok(Some(Rotated { id, algorithm: key.algorithm, active_from }))
    }

    fn public_half(&self, id: KeyId, private: &[u8]) -> Result<Jwk> {
        let encoding = self.algorithm.encoding_key(private)?;
        let mut public =
            Jwk::from_encoding_key(&encoding, self.algorithm.jwt()).map_err(Error::internal)?;
        if self.algorithm == Algorithm::Ed25519 {
            // The library has no such name; the curve tells the algorithm.
            public.common.key_algorithm = None;
        }
        public.common.key_id = Some(id.to_string());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(public)
    }

    /// Requires that this process can unseal the newest key. A process with a former master key
    /// would seal keys that no node can unseal later.
    fn require_own(&self, keys: &[entity::Model]) -> Result<()> {
        match keys.first() {
            Some(newest) => {
                self.master.open(&binding(newest.id), &newest.sealed_private_key).map(drop)
            }
            None => Ok(()),
        }
    }
}

/// Seals with the present master key the keys that the former one sealed, one at a time: it may be
/// interrupted and run again. Returns how many were sealed.
///
/// # Errors
/// If the database refuses, or neither master key unseals a key.
pub async fn rewrap(database: &Database, master: &MasterKey, entropy: &dyn Entropy) -> Result<u64> {
    let mut count = 0;
    for key in entity::all(database.reader()).await? {
        if let Some(anew) = master.rewrap(entropy, &binding(key.id), &key.sealed_private_key)? {
            let reseal = async |write: Arc<Write<'_>>| {
                let read = key.sealed_private_key.clone();
                Ok(entity::reseal(write.on(), key.id, read, anew.clone()).await?)
            };
            database.transaction(reseal).await?;
            count += 1;
        }
    }
    Ok(count)
}
