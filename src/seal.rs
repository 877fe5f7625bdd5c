//! Encryption at rest of signing keys and of upstream credentials.
//!
//! AES-256-GCM under the master key. Each ciphertext is bound to its row, so that one copied to
//! another row does not open, and starts with the id of its master key, so that keys can be rotated
//! one row at a time.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::entropy::Entropy;
use crate::error::Error;

const FORMAT: u8 = 1;
const KEY_ID_LENGTH: usize = 8;
const HEADER_LENGTH: usize = 1 + KEY_ID_LENGTH + NONCE_LEN;

/// The key that seals: 32 bytes, written in base 64. During a rotation the previous key opens too.
pub struct MasterKey {
    keys: RwLock<Keys>,
    source: Option<Source>,
}

/// Reads the current key and the previous one again.
type Source = Box<dyn Fn() -> Result<(String, Option<String>), Error> + Send + Sync>;

#[derive(Clone)]
struct Keys {
    current: Arc<Key>,
    previous: Option<Arc<Key>>,
}

struct Key {
    id: [u8; KEY_ID_LENGTH],
    key: LessSafeKey,
}

impl MasterKey {
    /// Reads a key of 32 bytes in base 64.
    ///
    /// # Errors
    /// If the text is anything else. The text is not repeated in the error.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self { keys: RwLock::new(Keys::parse(text, None)?), source: None })
    }

    /// The same key, which also opens values that the previous one sealed.
    ///
    /// # Errors
    /// As [`MasterKey::parse`].
    pub fn after(self, previous: &str) -> Result<Self, Error> {
        let keys = Keys { previous: Some(Arc::new(Key::parse(previous)?)), ..self.keys() };
        Ok(Self { keys: RwLock::new(keys), ..self })
    }

    /// The same key, which is read from `source` again before it seals and when it does not open a
    /// value: another process may have rotated it.
    #[must_use]
    pub fn following(self, source: Source) -> Self {
        Self { source: Some(source), ..self }
    }

    fn keys(&self) -> Keys {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys again. They stay as they are if that fails.
    fn follow(&self) {
        let Some(source) = &self.source else { return };
        match source().and_then(|(current, previous)| Keys::parse(&current, previous.as_deref())) {
            Ok(keys) => *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys,
            Err(error) => error.log_cause(),
        }
    }

    /// Generates a key, as text.
    pub fn generate(entropy: &dyn Entropy) -> String {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        STANDARD.encode(bytes)
    }

    /// Seals `plain` for the row named by `binding`, for instance `signing_key:<id>`.
    ///
    /// # Panics
    /// If `plain` is longer than 64 GiB, the limit of the cipher.
    pub fn seal(&self, entropy: &dyn Entropy, binding: &str, plain: &[u8]) -> Vec<u8> {
        self.follow();
        let current = self.keys().current;
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        current
            .key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(binding),
                &mut sealed,
            )
            .expect(
                "a key, a credential or a certificate is shorter than the cipher's limit of 64 GiB",
            );
        [&[FORMAT][..], &current.id, &nonce, &sealed].concat()
    }

    /// Opens a value that [`MasterKey::seal`] sealed for the same row.
    ///
    /// # Errors
    /// If another master key sealed it, it belongs to another row, or it was altered.
    pub fn open(&self, binding: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let refused =
            |why: &'static str| Error::internal(format!("{binding} does not open: {why}"));
        if sealed.len() < HEADER_LENGTH || sealed[0] != FORMAT {
            return Err(refused("not a sealed value"));
        }
        let (header, ciphertext) = sealed.split_at(HEADER_LENGTH);
        let (id, nonce) = header[1..].split_at(KEY_ID_LENGTH);
        let key = self.keys().with_id(id).or_else(|| {
            self.follow();
            self.keys().with_id(id)
        });
        let key = key.ok_or_else(|| refused("sealed by another master key"))?;
        let nonce =
            Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused("not a sealed value"))?;
        let mut plain = ciphertext.to_vec();
        let length = key
            .key
            .open_in_place(nonce, Aad::from(binding), &mut plain)
            .map_err(|_| refused("altered, or moved from another row"))?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// Whether the current key sealed this.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=KEY_ID_LENGTH) == Some(&self.keys().current.id)
    }

    /// Seals a value of the previous key with the current one; `None` if it is current already.
    ///
    /// # Errors
    /// As [`MasterKey::open`].
    pub fn rewrap(
        &self,
        entropy: &dyn Entropy,
        binding: &str,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        if self.is_current(sealed) {
            return Ok(None);
        }
        Ok(Some(self.seal(entropy, binding, &self.open(binding, sealed)?)))
    }
}

impl Keys {
    fn parse(current: &str, previous: Option<&str>) -> Result<Self, Error> {
        let previous = previous.map(Key::parse).transpose()?.map(Arc::new);
        Ok(Self { current: Arc::new(Key::parse(current)?), previous })
    }

    fn with_id(self, id: &[u8]) -> Option<Arc<Key>> {
        [Some(self.current), self.previous].into_iter().flatten().find(|key| key.id == id)
    }
}

impl Key {
    fn parse(text: &str) -> Result<Self, Error> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| malformed())?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| malformed())?;
        let mut id = [0; KEY_ID_LENGTH];
        id.copy_from_slice(&digest(&SHA256, &bytes).as_ref()[..KEY_ID_LENGTH]);
        Ok(Self { id, key: LessSafeKey::new(key) })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn malformed() -> Error {
    Error::internal("the master key must be 32 bytes in base 64".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn key() -> MasterKey {
        MasterKey::parse(&MasterKey::generate(&SystemEntropy)).unwrap()
    }

    #[test]
    fn sealed_value_opens_for_its_own_row_only() {
        let key = key();
        let sealed = key.seal(&SystemEntropy, "row:1", b"secret");
        assert_eq!(key.open("row:1", &sealed).unwrap(), b"secret");
        assert!(key.open("row:2", &sealed).is_err());
    }

    #[test]
    fn value_does_not_open_with_another_key_or_an_altered_byte() {
        let one = key();
        let two = key();
        let mut sealed = one.seal(&SystemEntropy, "row:1", b"secret");
        assert!(two.open("row:1", &sealed).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(one.open("row:1", &sealed).is_err());
        assert!(one.open("row:1", &[]).is_err());
    }

    #[test]
    fn value_of_previous_key_opens_and_is_rewrapped_once() {
        let old = MasterKey::generate(&SystemEntropy);
        let new = MasterKey::generate(&SystemEntropy);
        let sealed = MasterKey::parse(&old).unwrap().seal(&SystemEntropy, "row:1", b"secret");
        let both = MasterKey::parse(&new).unwrap().after(&old).unwrap();
        assert_eq!(both.open("row:1", &sealed).unwrap(), b"secret");
        let anew = both.rewrap(&SystemEntropy, "row:1", &sealed).unwrap().unwrap();
        assert_eq!(MasterKey::parse(&new).unwrap().open("row:1", &anew).unwrap(), b"secret");
        assert!(both.rewrap(&SystemEntropy, "row:1", &anew).unwrap().is_none());
        assert!(both.rewrap(&SystemEntropy, "row:2", &sealed).is_err());
    }

    #[test]
    fn key_rotated_by_another_process_is_taken_over() {
        let texts = [(); 2].map(|()| MasterKey::generate(&SystemEntropy));
        let [old, new] = texts.clone();
        let changed = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let source = {
            let changed = changed.clone();
            move || {
                let [old, new] = texts.clone();
                let is_changed = changed.load(std::sync::atomic::Ordering::SeqCst);
                Ok(if is_changed { (new, Some(old)) } else { (old, None) })
            }
        };
        let running = MasterKey::parse(&old).unwrap().following(Box::new(source));
        let before = running.seal(&SystemEntropy, "row:1", b"before");
        changed.store(true, std::sync::atomic::Ordering::SeqCst);
        let elsewhere = MasterKey::parse(&new).unwrap();
        let anew = elsewhere.seal(&SystemEntropy, "row:2", b"anew");
        assert_eq!(running.open("row:2", &anew).unwrap(), b"anew");
        assert_eq!(running.open("row:1", &before).unwrap(), b"before", "the key before opens too");
        let after = running.seal(&SystemEntropy, "row:3", b"after");
        assert_eq!(elsewhere.open("row:3", &after).unwrap(), b"after", "it seals with the new one");
    }

    #[test]
    fn key_of_wrong_length_is_refused() {
        assert!(MasterKey::parse("c2hvcnQ=").is_err());
        assert!(MasterKey::parse("not base 64").is_err());
    }
}
