//! The form that a request to an OAuth endpoint holds.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};

use super::error::OauthError;

/// A request is a few hundred bytes, one with an assertion or a token a few thousand.
const BODY_LIMIT: usize = 16 * 1024;

/// Every parameter that some endpoint reads.
const PARAMETERS: [&str; 9] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion_type",
    "client_assertion",
    "scope",
    "tenant",
    "token",
    "token_type_hint",
];

/// The parameters of a request, each once.
#[derive(Default)]
pub struct Form(BTreeMap<&'static str, String>);

impl Form {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// `invalid_request` for another media type or charset, for parameters in the address, where logs would keep them, and
    /// as [`Form::parse`].
    pub async fn read(headers: &HeaderMap, uri: &Uri, body: Body, within: Duration) -> Result<Self, OauthError> {
        require_form(headers)?;
        let in_address =
            uri.query().is_some_and(|query| Self::parse(query.as_bytes()).map_or(true, |form| !form.0.is_empty()));
        if in_address {
            return Err(OauthError::InvalidRequest("parameters belong into the body, not into the address"));
        }
        let bytes = tokio::time::timeout(within, to_bytes(body, BODY_LIMIT)).await;
        let bytes = bytes.map_err(|_| OauthError::InvalidRequest("the body took too long to arrive"))?;
        let bytes = bytes.map_err(|_| OauthError::InvalidRequest("the body is too large or broke off"))?;
        Self::parse(&bytes)
    }

    /// Parameters that are not known are ignored, ones that stand twice are refused (RFC 6749, section 3.2).
    ///
    /// # Errors
    /// `invalid_request`, also for values that are no UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, OauthError> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            let Some(name) = PARAMETERS.into_iter().find(|known| *known == name) else { continue };
            // What is put in the place of bytes that are no UTF-8; no value of ours holds one.
            if value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(OauthError::InvalidRequest("a parameter is not UTF-8"));
            }
            if form.0.insert(name, value.into_owned()).is_some() {
                return Err(OauthError::InvalidRequest("a parameter stands twice"));
            }
        }
        Ok(form)
    }

    /// The value of a parameter. One without a value counts as absent (RFC 6749, section 3.2).
    pub fn get(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is there, perhaps without a value.
    pub fn has(&self, name: &'static str) -> bool {
        self.0.contains_key(name)
    }
}

fn require_form(headers: &HeaderMap) -> Result<(), OauthError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (value, more) = (values.next().and_then(|value| value.to_str().ok()).unwrap_or_default(), values.next());
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if more.is_some() || !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OauthError::InvalidRequest("the body must be application/x-www-form-urlencoded"));
    }
    let mut parameters = parts.filter_map(|part| part.split_once('='));
    let charset = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let charset = charset.map(|(_, charset)| charset.trim().trim_matches('"'));
    match charset.is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8")) {
        true => Ok(()),
        false => Err(OauthError::InvalidRequest("the charset must be UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn typed(value: &'static str) -> bool {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
        require_form(&headers).is_ok()
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        assert!(Form::parse(b"grant_type=a&grant_type=a").is_err());
        assert!(Form::parse(b"token=&token=a").is_err());
        assert!(Form::parse(b"unknown=a&unknown=a").is_ok());
    }

    #[test]
    fn a_parameter_without_value_counts_as_absent() {
        let form = Form::parse(b"scope=&tenant").unwrap();
        assert_eq!(form.get("scope"), None);
        assert!(form.has("tenant") && !form.has("token"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert!(Form::parse(b"client_id=%ff").is_err());
        assert!(Form::parse(b"client_id=\xff").is_err());
        assert_eq!(Form::parse(b"client_id=%C3%A9").unwrap().get("client_id"), Some("\u{e9}"));
    }

    #[test]
    fn another_charset_is_refused() {
        assert!(typed("application/x-www-form-urlencoded"));
        assert!(typed("Application/X-WWW-Form-Urlencoded; charset=\"UTF-8\""));
        assert!(!typed("application/x-www-form-urlencoded; charset=utf-16"));
        assert!(!typed("application/json"));
        assert!(!typed(""));
    }
}
