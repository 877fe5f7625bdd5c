//! The media type and charset of a request body (RFC 9110, section 8.3).

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};

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
}
