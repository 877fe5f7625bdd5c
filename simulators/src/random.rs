//! Randomness as a parameter: equal seeds generate equal identifiers and secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A SplitMix64 generator, sufficient for values that only have to differ.
pub struct Random(u64);

impl Random {
    /// A generator whose output depends only on `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 32 upper-case hexadecimal digits, as in session ids.
    pub fn hex(&mut self) -> String {
        format!("{:016X}{:016X}", self.next(), self.next())
    }

    /// A GUID in upper case.
    pub fn guid(&mut self) -> String {
        let hex = self.hex();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// A UUID in lower case.
    pub fn uuid(&mut self) -> String {
        self.guid().to_lowercase()
    }

    /// 32 bytes in base64, as in secret keys: 44 characters, including `+`, `/` and `=`.
    pub fn base64(&mut self) -> String {
        let bytes: Vec<u8> = (0..4).flat_map(|_| self.next().to_be_bytes()).collect();
        STANDARD.encode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_generate_equal_values_that_do_not_repeat() {
        let mut one = Random::seeded(7);
        let mut other = Random::seeded(7);
        let guid = one.guid();
        assert_eq!(guid, other.guid());
        assert_ne!(guid, one.guid());
        assert_eq!(guid.len(), 36);
        assert_eq!(one.base64().len(), 44);
    }
}
