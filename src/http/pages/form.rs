//! The fields of a form, and of the query of a page's address.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};

use crate::http::body::{self, BodyError, ContentType, is_encoded};

/// In bytes. The longest field is a password of 128 characters.
const BODY_LIMIT: usize = 16 * 1024;

const FIELDS_MAX: usize = 32;

/// The fields by name.
#[derive(Default)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads the body of a form.
    ///
    /// # Errors
    /// The status for another media type, for a body that is too large, too slow or malformed, and
    /// for repeated fields.
    pub async fn read(
        headers: &HeaderMap,
        body: Body,
        within: Duration,
    ) -> Result<Self, StatusCode> {
        let content_type = ContentType::of(headers);
        let is_form = content_type.is_some_and(|content_type| {
            content_type.is("application/x-www-form-urlencoded") && content_type.is_utf8()
        });
        if !is_form || is_encoded(headers) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let bytes = body::read(body, BODY_LIMIT, within).await.map_err(|error| match error {
            BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken => StatusCode::BAD_REQUEST,
        })?;
        Self::parse(&bytes).ok_or(StatusCode::BAD_REQUEST)
    }

    /// Parses fields; none if one is repeated, is not UTF-8 or has a NUL, or there are too many.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            let is_bad = value.contains(['\0', char::REPLACEMENT_CHARACTER]);
            let repeated = fields.insert(name.into_owned(), value.into_owned()).is_some();
            if is_bad || repeated || fields.len() > FIELDS_MAX {
                return None;
            }
        }
        Some(Self(fields))
    }

    /// The value of a field; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a field, or an empty text.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_once_each() {
        let form = Form::parse(b"email=a%40b&password=+x&csrf=").unwrap();
        assert_eq!((form.text("email"), form.text("password")), ("a@b", " x"));
        assert_eq!((form.get("csrf"), form.text("code")), (None, ""));
        let many: String = (0..40).map(|number| format!("f{number}=1&")).collect();
        for refused in ["a=1&a=2", "a=%00", "a=%ff", &many] {
            assert!(Form::parse(refused.as_bytes()).is_none(), "{refused}");
        }
    }
}
