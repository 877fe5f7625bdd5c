//! The secrets of clients: `PlainSecret` is shown once, `SecretHash` is what is stored.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use sea_orm::DeriveValueType;

use crate::entropy::{Entropy, base62};

/// What every secret starts with, so that scanners of repositories and logs can find one.
pub const SECRET_PREFIX: &str = "tgw_";

/// Matches every secret and nothing shorter or longer.
pub const SECRET_PATTERN: &str = "tgw_[0-9A-Za-z]{49}";

const RANDOM_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;

/// A secret in the clear: `tgw_`, 43 base-62 characters of 256 random bits, and 6 of a CRC-32 over
/// all before them. Its only ways out are [`PlainSecret::expose`] and [`PlainSecret::hash`].
pub struct PlainSecret(String);

impl PlainSecret {
    /// A new secret of 256 bits.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        let mut text = format!("{SECRET_PREFIX}{}", base62(&bytes, RANDOM_CHARACTERS));
        text.push_str(&checksum(&text));
        Self(text)
    }

    /// Takes a presented secret if it has our form and its checksum holds; costs no look into the
    /// store.
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

    /// The secret itself. For the answer that shows it, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, shown in lists.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// What is stored. A plain SHA-256 is enough: 256 random bits cannot be guessed, however fast
    /// the hash.
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

    /// Whether both are the hash of one secret, told in a time that does not depend on where they
    /// differ.
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
    fn a_secret_is_found_by_the_published_pattern() {
        let secret = PlainSecret::generate(&SystemEntropy);
        assert_eq!(secret.expose().len(), SECRET_PREFIX.len() + 49);
        assert!(secret.expose()[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_mistyped_secret_is_told_from_a_real_one_by_its_checksum() {
        let secret = PlainSecret::generate(&SystemEntropy);
        assert!(PlainSecret::parse(secret.expose()).is_some());
        let mut mistyped = secret.expose().to_owned();
        let other = if &mistyped[10..11] == "a" { "b" } else { "a" };
        mistyped.replace_range(10..11, other);
        assert!(PlainSecret::parse(&mistyped).is_none());
    }

    #[test]
    fn rubbish_is_refused_without_panic() {
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
    fn a_hash_matches_its_own_secret_alone() {
        let (one, two) =
            (PlainSecret::generate(&SystemEntropy), PlainSecret::generate(&SystemEntropy));
        assert!(one.hash().matches(&one.hash()));
        assert!(!one.hash().matches(&two.hash()));
    }
}
