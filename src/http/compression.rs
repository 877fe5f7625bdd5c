//! Compresses answers for callers who ask for it (RFC 9110, section 12.5.3).
//!
//! Only answers of queries: no stream, whose events would wait in the compressor, and nothing that
//! shows a secret, which mutations alone do, since the length of a compressed answer tells of a
//! secret in it to whoever chooses a part of the request and sees the length (BREACH).

use std::io::{self, Write};

use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Below this an answer fits into a few packets anyway.
const SMALLEST: usize = 4 * 1024;

/// The bytes of an answer, and what `Content-Encoding` says of them.
pub struct Encoded {
    pub bytes: Vec<u8>,
    pub coding: Option<HeaderValue>,
}

/// Compresses an answer with gzip if it is large enough and the headers of its request ask for it.
pub fn encode(headers: &HeaderMap, bytes: Vec<u8>) -> Encoded {
    if bytes.len() < SMALLEST || !takes_gzip(headers) {
        return Encoded { bytes, coding: None };
    }
    match gzip(&bytes) {
        Ok(bytes) => Encoded { bytes, coding: Some(HeaderValue::from_static("gzip")) },
        Err(_) => Encoded { bytes, coding: None },
    }
}

/// At the fastest level: each answer is compressed for one reader and kept for nobody.
fn gzip(whole: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(whole.len() / 4), Compression::fast());
    encoder.write_all(whole)?;
    encoder.finish()
}

/// Whether gzip is named with a quality above 0; or everything is, and gzip is not.
fn takes_gzip(headers: &HeaderMap) -> bool {
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

    fn asking(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, line.parse().unwrap())])
    }

    #[test]
    fn gzip_has_to_be_asked_for() {
        for line in ["gzip", "deflate, GZIP;q=0.1, br", "x-gzip", "*", "br;q=1, *;q=0.5"] {
            assert!(takes_gzip(&asking(line)), "{line}");
        }
        for line in ["", "identity", "br, zstd", "gzip;q=0", "gzip; Q=0.0, *", "*;q=0", "gzip;q=x"]
        {
            assert!(!takes_gzip(&asking(line)), "{line}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn only_large_answers_are_compressed() {
        let encoded = |length: usize| encode(&asking("gzip"), vec![b'x'; length]);
        assert!(encoded(SMALLEST - 1).coding.is_none());
        let large = encoded(SMALLEST);
        assert_eq!(large.coding.unwrap(), "gzip");
        assert!(large.bytes.len() < SMALLEST);
    }
}
