//! The SHA-256 that names a document.

use aws_lc_rs::digest::{SHA256, digest};

/// The SHA-256 of a document's text.
pub type DocumentHash = [u8; 32];

/// Hashes the text of a document.
pub fn hash(text: &str) -> DocumentHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// Formats a hash as 64 hexadecimal digits.
pub fn hex(hash: &DocumentHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Parses a hash of 64 hexadecimal digits, in upper or lower case.
pub fn parse_hash(text: &str) -> Option<DocumentHash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect::<Option<Vec<_>>>()?;
    if rest.is_empty() { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_64_digits() {
        assert_eq!(parse_hash(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(parse_hash(&hex(&hash("{a}"))), Some(hash("{a}")));
        for text in [String::new(), "0".repeat(63), "0".repeat(66), "g".repeat(64), "+0".repeat(32)]
        {
            assert_eq!(parse_hash(&text), None, "{text}");
        }
    }
}
