//! The secrets of clients: a `PlainSecret` is shown once, a `SecretHash` is stored.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use sea_orm::DeriveValueType;

use crate::entropy::{Entropy, base62};

/// The prefix of every secret, by which scanners of repositories and logs find it.
pub const SECRET_PREFIX: &str = "tgw_";

/// A regular expression that matches every secret, whole.
pub const SECRET_PATTERN: &str = "tgw_[0-9A-Za-z]{49}";

const RANDOM_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;

/// A secret in the clear: `tgw_`, 43 base-62 characters of 256 random bits, and 6 of a CRC-32 over
/// all before them. Its only ways out are [`PlainSecret::expose`] and [`PlainSecret::hash`].
pub struct PlainSecret(String);

impl PlainSecret {
    /// Generates a secret of 256 random bits.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        let mut text = format!("{SECRET_PREFIX}{}", base62(&bytes, RANDOM_CHARACTERS));
        text.push_str(&checksum(&text));
        Self(text)
    }

    /// Parses a presented secret; `None` if its form or its checksum is wrong. The database is not
    /// asked.
    pub fn parse(presented: &str) -> Option<Self> {
        let body = presented.strip_prefix(SECRET_PREFIX)?;
        let right_form = body.len() == RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
            && body.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !right_form {
            return None;
        }
        let (signed, sum) = presented.split_at(presented.len() - CHECKSUM_CHARACTERS);
        (checksum(signed) == sum).then(|| Self(presented.to_owned()))
    }

    /// The secret itself, for the one response that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, shown in lists.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// The hash to be stored. A plain SHA-256 is enough: 256 random bits cannot be guessed, however
    /// fast the hash is.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.0.as_bytes())
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn checksum(text: &str) -> String {
    base62(&crc32fast::hash(text.as_bytes()).to_be_bytes(), CHECKSUM_CHARACTERS)
}

/// The SHA-256 of a secret.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct SecretHash(Vec<u8>);

impl SecretHash {
    /// The hash of any bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(digest(&SHA256, bytes).as_ref().to_vec())
    }

    /// The bytes of the hash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether both are the hash of the same secret, compared in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn secret_matches_published_form() {
        let secret = PlainSecret::generate(&SystemEntropy);
        assert_eq!(secret.expose().len(), SECRET_PREFIX.len() + 49);
        assert!(secret.expose()[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn mistyped_secret_fails_its_checksum() {
        let secret = PlainSecret::generate(&SystemEntropy);
        assert!(PlainSecret::parse(secret.expose()).is_some());
        let mut mistyped = secret.expose().to_owned();
        let other = if &mistyped[10..11] == "a" { "b" } else { "a" };
        mistyped.replace_range(10..11, other);
        assert!(PlainSecret::parse(&mistyped).is_none());
    }

    #[test]
    fn malformed_secret_is_refused_without_panic() {
        for text in
            ["", "tgw_", "tgw", "tgw_é", &"x".repeat(53), &format!("tgw_{}", "é".repeat(24))]
        {
            assert!(PlainSecret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let secret = PlainSecret::generate(&SystemEntropy);
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(format!("{:?}", secret.hash()), "[redacted]");
    }

    #[test]
    fn hash_matches_its_own_secret_only() {
        let one = PlainSecret::generate(&SystemEntropy);
        let two = PlainSecret::generate(&SystemEntropy);
        assert!(one.hash().matches(&one.hash()));
        assert!(!one.hash().matches(&two.hash()));
    }
}
