//! Compresses responses to clients that accept it (RFC 9110, section 12.5.3).
//!
//! Responses to queries only: events of a stream would wait in the compressor, and mutations may
//! return secrets, which the length of a compressed response leaks to an attacker who chooses part
//! of the request and observes that length (BREACH).
//!
//! Not `tower-http`'s `CompressionLayer`: it compresses while the body is sent, after the byte
//! budget of the response is settled.

use std::io::{self, Write};

use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};
use flate2::Compression;
use flate2::write::GzEncoder;

/// A smaller response fits into a few packets anyway.
const MINIMUM_SIZE: usize = 4 * 1024;

/// The bytes of a response and their `Content-Encoding`.
pub struct Encoded {
    /// The bytes, compressed or not.
    pub bytes: Vec<u8>,
    /// The `Content-Encoding`; absent if not compressed.
    pub coding: Option<HeaderValue>,
}

/// Compresses a response with gzip if it is large enough and its request accepts it.
pub fn encode(headers: &HeaderMap, bytes: Vec<u8>) -> Encoded {
    if bytes.len() < MINIMUM_SIZE || !accepts_gzip(headers) {
        return Encoded { bytes, coding: None };
    }
    match gzip(&bytes) {
        Ok(bytes) => Encoded { bytes, coding: Some(HeaderValue::from_static("gzip")) },
        Err(_) => Encoded { bytes, coding: None },
    }
}

/// At the fastest level: each response is compressed once and cached nowhere.
fn gzip(whole: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(whole.len() / 4), Compression::fast());
    encoder.write_all(whole)?;
    encoder.finish()
}

/// Whether gzip has a quality above 0, else whether `*` has.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let codings: Vec<_> = lines.flat_map(|line| line.split(',')).map(coding).collect();
    let wanted = |name: &str| {
        codings
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, wanted)| *wanted)
    };
    wanted("gzip").or_else(|| wanted("x-gzip")).or_else(|| wanted("*")).unwrap_or(false)
}

/// The name of a coding, and whether its quality is above 0.
fn coding(text: &str) -> (&str, bool) {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let quality = parameters.trim().to_ascii_lowercase();
    let quality = quality.strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
    (name.trim(), quality.is_ok_and(|quality| quality > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, line.parse().unwrap())])
    }

    #[test]
    fn gzip_must_be_accepted() {
        for line in ["gzip", "deflate, GZIP;q=0.1, br", "x-gzip", "*", "br;q=1, *;q=0.5"] {
            assert!(accepts_gzip(&accepting(line)), "{line}");
        }
        for line in ["", "identity", "br, zstd", "gzip;q=0", "gzip; Q=0.0, *", "*;q=0", "gzip;q=x"]
        {
            assert!(!accepts_gzip(&accepting(line)), "{line}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn only_large_responses_are_compressed() {
        let encoded = |length: usize| encode(&accepting("gzip"), vec![b'x'; length]);
        assert!(encoded(MINIMUM_SIZE - 1).coding.is_none());
        let large = encoded(MINIMUM_SIZE);
        assert_eq!(large.coding.unwrap(), "gzip");
        assert!(large.bytes.len() < MINIMUM_SIZE);
    }
}
