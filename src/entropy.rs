//! Randomness, as a parameter: nothing else in the crate generates random numbers.

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator, by way of the crypto library.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes random numbers")]
    fn fill(&self, buffer: &mut [u8]) {
        // Without random numbers there are no secrets: stopping is the only safe reaction.
        aws_lc_rs::rand::fill(buffer).expect("the operating system gives random numbers");
    }
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Encodes a big-endian number in base 62, padded with zeros to `width` characters; leading digits
/// that do not fit are cut off.
pub fn base62(bytes: &[u8], width: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in &mut number {
            let value = remainder << 8 | u16::from(*byte);
            // At most 61 * 256 + 255, divided by 62.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        *digit = ALPHABET[usize::from(remainder)];
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_is_positional_and_padded() {
        assert_eq!(base62(&[0], 2), "00");
        assert_eq!(base62(&[61], 2), "0z");
        assert_eq!(base62(&[62], 2), "10");
        assert_eq!(base62(&[0xff; 32], 43).len(), 43);
    }

    #[test]
    fn forty_three_characters_hold_256_bits() {
        assert_ne!(base62(&[0xff; 32], 44).as_bytes()[1], b'0');
        assert_eq!(base62(&[0xff; 32], 44).as_bytes()[0], b'0');
    }
}
