//! The keys that sign: made on first use, sealed in the database, shared by all nodes.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::entity;
use crate::clock::{Clock, Timestamp};
use crate::database::Database;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::KeyId;
use crate::seal::MasterKey;

/// How long a key id that was not found is not looked for again: made-up ids must not cost a database call each.
const RELOAD_PAUSE: Duration = Duration::from_secs(1);

/// The algorithms that a token may be signed with. Nothing else is ever accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037): the default.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA of 2048 bits with SHA-256, for readers that know nothing newer.
    Rs256,
}

impl Algorithm {
    /// The name in the header of a token (RFC 7518, section 3.1; RFC 8037, section 3.1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) const fn jwt(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }

    /// A new private key in PKCS #8.
    fn generate(self) -> Result<Vec<u8>> {
        let failed = |_| Error::internal("the crypto library could not make a signing key");
        Ok(match self {
            // The older form, without the public half, is the one that jsonwebtoken reads.
            Self::EdDsa => {
                Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()).map_err(failed)?.as_ref().to_vec()
            }
            Self::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            Self::Rs256 => {
                RsaKeyPair::generate(KeySize::Rsa2048).and_then(|key| key.as_der()).map_err(failed)?.as_ref().to_vec()
            }
        })
    }

    fn encoding_key(self, pkcs8: &[u8]) -> Result<EncodingKey> {
        match self {
            Self::EdDsa => Ok(EncodingKey::from_ed_der(pkcs8)),
            Self::Es256 => Ok(EncodingKey::from_ec_der(pkcs8)),
            Self::Rs256 => {
                let pem =
                    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8));
                EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(Error::internal)
            }
        }
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::EdDsa, Self::Es256, Self::Rs256]
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or_else(|| Error::internal("a signing key of an unknown algorithm is stored"))
    }
}

/// A key of the ring, opened.
pub struct SigningKey {
    /// The `kid`.
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: Algorithm,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
    generation: i64,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// All keys of the deployment, as this node last read them.
pub struct KeyRing {
    database: Arc<Database>,
    master: Arc<MasterKey>,
    clock: Arc<dyn Clock>,
    keys: RwLock<Arc<Vec<Arc<SigningKey>>>>,
    reload: tokio::sync::Mutex<Timestamp>,
    algorithm: Algorithm,
}

impl KeyRing {
    /// Reads the keys, and makes one if there is none of the wanted algorithm. Of several nodes that start at once, one
    /// makes it and all use it.
    ///
    /// # Errors
    /// If the database cannot be asked, or the master key is not the one that sealed the keys.
    pub async fn open(
        database: Arc<Database>,
        master: Arc<MasterKey>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        algorithm: Algorithm,
    ) -> Result<Self> {
        let reload = tokio::sync::Mutex::new(clock.now());
        let ring = Self { database, master, clock, keys: RwLock::default(), reload, algorithm };
        ring.load().await?;
        while ring.signing().is_none() {
            ring.make(entropy).await?;
            ring.load().await?;
        }
        Ok(ring)
    }

    /// The key that signs: the newest of the wanted algorithm.
    ///
    /// # Errors
    /// If there is none, which [`KeyRing::open`] prevents.
    pub fn current(&self) -> Result<Arc<SigningKey>> {
        self.signing().ok_or_else(|| Error::internal("the key ring is empty"))
    }

    /// The key with that id; keys made by other nodes since are found too.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn find(&self, id: KeyId) -> Result<Option<Arc<SigningKey>>> {
        let known = |ring: &Self| ring.keys().iter().find(|key| key.id == id).cloned();
        if let Some(key) = known(self) {
            return Ok(Some(key));
        }
        let mut last = self.reload.lock().await;
        if self.clock.now().since(*last) >= RELOAD_PAUSE {
            *last = self.clock.now();
            self.load().await?;
        }
        Ok(known(self))
    }

    fn keys(&self) -> Arc<Vec<Arc<SigningKey>>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn signing(&self) -> Option<Arc<SigningKey>> {
        self.keys().iter().find(|key| key.algorithm == self.algorithm).cloned()
    }

    async fn load(&self) -> Result<()> {
        let rows = entity::all(self.database.reader()).await?;
        let keys = rows.into_iter().map(|row| self.unseal(row).map(Arc::new)).collect::<Result<Vec<_>>>()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    fn unseal(&self, row: entity::Model) -> Result<SigningKey> {
        let algorithm: Algorithm = row.algorithm.parse()?;
        let private = self.master.open(&binding(row.id), &row.sealed_private_key)?;
        let public: Jwk = serde_json::from_str(&row.public_jwk).map_err(Error::internal)?;
        Ok(SigningKey {
            id: row.id,
            algorithm,
            encoding: algorithm.encoding_key(&private)?,
            decoding: DecodingKey::from_jwk(&public).map_err(Error::internal)?,
            generation: row.generation,
        })
    }

    async fn make(&self, entropy: &dyn Entropy) -> Result<()> {
        let id = KeyId::random(entropy);
        let private = self.algorithm.generate()?;
        let encoding = self.algorithm.encoding_key(&private)?;
        let mut public = Jwk::from_encoding_key(&encoding, self.algorithm.jwt()).map_err(Error::internal)?;
        public.common.key_id = Some(id.to_string());
        public.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Signature);
        let newest = self.keys().first().map_or(0, |key| key.generation);
        let key = entity::Model {
            id,
            generation: newest + 1,
            algorithm: self.algorithm.name().to_owned(),
            public_jwk: serde_json::to_string(&public).map_err(Error::internal)?,
            sealed_private_key: self.master.seal(entropy, &binding(id), &private),
            created_at: self.clock.now(),
        };
        let write = self.database.write().await?;
        if entity::insert_if_first(write.on(), key).await? {
            tracing::info!(kid = %id, algorithm = self.algorithm.name(), "signing key made");
        }
        write.commit().await
    }
}

fn binding(id: KeyId) -> String {
    format!("signing_key:{id}")
}
