//! Encryption at rest of signing keys and of upstream credentials.
//!
//! AES-256-GCM under the master key. Each ciphertext is bound to the place it stands in, so that one moved to another
//! row does not open, and starts with the id of its master key, so that keys can be changed one row at a time.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::entropy::Entropy;
use crate::error::Error;

const FORMAT: u8 = 1;
const KEY_ID_LENGTH: usize = 8;
const HEADER_LENGTH: usize = 1 + KEY_ID_LENGTH + NONCE_LEN;

/// The key that seals: 32 bytes, written in base 64.
pub struct MasterKey {
    id: [u8; KEY_ID_LENGTH],
    key: LessSafeKey,
}

impl MasterKey {
    /// Reads a key of 32 bytes in base 64.
    ///
    /// # Errors
    /// If the text is anything else. The text is not repeated in the error.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| malformed())?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| malformed())?;
        let mut id = [0; KEY_ID_LENGTH];
        id.copy_from_slice(&digest(&SHA256, &bytes).as_ref()[..KEY_ID_LENGTH]);
        Ok(Self { id, key: LessSafeKey::new(key) })
    }

    /// The text of a new key.
    pub fn generate(entropy: &dyn Entropy) -> String {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        STANDARD.encode(bytes)
    }

    /// Seals `plain` for the place named by `binding`, for instance `signing_key:<id>`.
    pub fn seal(&self, entropy: &dyn Entropy, binding: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(binding), &mut sealed)
            .expect("a key, a credential or a certificate is shorter than the cipher's limit of 64 GiB");
        [&[FORMAT][..], &self.id, &nonce, &sealed].concat()
    }

    /// Opens what [`MasterKey::seal`] made for the same place.
    ///
    /// # Errors
    /// If it was sealed by another master key, for another place, or was altered.
    pub fn open(&self, binding: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let refused = |why: &'static str| Error::internal(format!("{binding} does not open: {why}"));
        if sealed.len() < HEADER_LENGTH || sealed[0] != FORMAT {
            return Err(refused("not a sealed value"));
        }
        let (header, ciphertext) = sealed.split_at(HEADER_LENGTH);
        let (id, nonce) = header[1..].split_at(KEY_ID_LENGTH);
        if id != self.id {
            return Err(refused("sealed by another master key"));
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused("not a sealed value"))?;
        let mut plain = ciphertext.to_vec();
        let length = self
            .key
            .open_in_place(nonce, Aad::from(binding), &mut plain)
            .map_err(|_| refused("altered, or moved from another row"))?
            .len();
        plain.truncate(length);
        Ok(plain)
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
    fn what_was_sealed_opens_in_its_own_place_alone() {
        let key = key();
        let sealed = key.seal(&SystemEntropy, "row:1", b"secret");
        assert_eq!(key.open("row:1", &sealed).unwrap(), b"secret");
        assert!(key.open("row:2", &sealed).is_err());
    }

    #[test]
    fn another_key_or_an_altered_byte_does_not_open() {
        let (one, two) = (key(), key());
        let mut sealed = one.seal(&SystemEntropy, "row:1", b"secret");
        assert!(two.open("row:1", &sealed).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(one.open("row:1", &sealed).is_err());
        assert!(one.open("row:1", &[]).is_err());
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert!(MasterKey::parse("c2hvcnQ=").is_err());
        assert!(MasterKey::parse("not base 64").is_err());
    }
}
