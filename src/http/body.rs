//! The body of a request: its media type (RFC 9110, section 8.3), and how it is read within a limit
//! of size and time.
//!
//! Not `tower-http`'s `RequestBodyTimeoutLayer`, which bounds the wait for each chunk: a client
//! could send a byte at a time forever.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It ended early, or its chunks are malformed.
    Broken,
    /// It did not arrive in time.
    TooSlow,
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`BodyError`].
pub async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, BodyError> {
    match timeout(within, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_) => Err(BodyError::TooSlow),
    }
}

/// The media type of a body, and its charset if it names one.
pub struct ContentType<'a> {
    media_type: &'a str,
    charset: Option<&'a str>,
}

impl<'a> ContentType<'a> {
    /// Reads the one `Content-Type` of a request; `None` for none or several.
    pub fn of(headers: &'a HeaderMap) -> Option<Self> {
        let mut lines =
            headers.get_all(CONTENT_TYPE).iter().map(|line| line.to_str().unwrap_or_default());
        let line = lines.next().filter(|_| lines.next().is_none())?;
        let mut parts = line.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let mut parameters = parts.filter_map(|part| part.split_once('='));
        let charset = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        Some(Self {
            media_type,
            charset: charset.map(|(_, charset)| charset.trim().trim_matches('"')),
        })
    }

    /// Whether it is that media type, in any letter case.
    pub fn is(&self, media_type: &str) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type)
    }

    /// Whether the charset is UTF-8: `utf-8`, `utf8` as some clients send it, or absent.
    pub fn is_utf8(&self) -> bool {
        self.charset.is_none_or(|charset| {
            ["utf-8", "utf8"].iter().any(|utf8| charset.eq_ignore_ascii_case(utf8))
        })
    }
}

/// Whether a body has a content coding, such as gzip.
pub fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Whether a body is declared as JSON in UTF-8. A browser sends that media type to another origin
/// only after a preflight.
pub fn is_json(headers: &HeaderMap) -> bool {
    ContentType::of(headers)
        .is_some_and(|content_type| content_type.is("application/json") && content_type.is_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (CONTENT_TYPE, line.parse().unwrap())).collect()
    }

    #[test]
    fn both_spellings_of_utf_8_are_accepted() {
        for line in [
            "text/plain",
            "TEXT/plain ; Charset=UTF-8",
            "text/plain;charset=\"utf8\"",
            "text/plain; x=y; charset=utf8",
        ] {
            let headers = headers(&[line]);
            let content_type = ContentType::of(&headers).unwrap();
            assert!(content_type.is("text/plain") && content_type.is_utf8(), "{line}");
        }
        assert!(!ContentType::of(&headers(&["text/plain; charset=utf-16"])).unwrap().is_utf8());
    }

    #[test]
    fn exactly_one_content_type_is_required() {
        assert!(ContentType::of(&HeaderMap::new()).is_none());
        let mut two = headers(&["text/plain"]);
        two.append(CONTENT_TYPE, "application/json".parse().unwrap());
        assert!(ContentType::of(&two).is_none());
    }

    fn is_json_text(text: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, text.parse().unwrap());
        is_json(&headers)
    }

    #[test]
    fn media_types_of_simple_requests_are_rejected() {
        for text in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(is_json_text(text), "{text}");
        }
        for text in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "text/plain; application/json",
            "application/json; charset=utf-16",
            "application/graphql",
            "",
        ] {
            assert!(!is_json_text(text), "{text}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
