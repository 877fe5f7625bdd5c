//! The parameters of a request to an OAuth endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Uri};
use serde_json::Value;

use super::error::OauthError;
use super::json_members::JsonMembers;
use crate::http::body::{self, BodyError, ContentType, is_encoded};
use crate::http::paths::TAEGIS_TOKEN;

/// In bytes. A request has a few hundred, with an assertion or a token a few thousand.
const BODY_LIMIT: usize = 16 * 1024;

/// The parameters that the endpoints know.
const PARAMETERS: [&str; 10] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion_type",
    "client_assertion",
    "scope",
    "tenant",
    "token",
    "token_type_hint",
    "device_code",
];

/// The known parameters of a request.
#[derive(Default)]
pub struct Form(BTreeMap<&'static str, String>);

impl Form {
    /// Reads the body of a request: a form, or at the vendor's token path also a JSON object, as
    /// connectors written for the vendor send it.
    ///
    /// # Errors
    /// `invalid_request` for another media type or charset, for a compressed body, for parameters
    /// in the URL, where logs would keep them, and as [`Form::parse`] and [`Form::parse_json`].
    pub async fn read(
        headers: &HeaderMap,
        uri: &Uri,
        body: Body,
        within: Duration,
    ) -> Result<Self, OauthError> {
        let body_format = body_format(headers, uri.path() == TAEGIS_TOKEN)?;
        if is_encoded(headers) {
            return Err(OauthError::EncodedBody);
        }
        if uri.query().is_some_and(has_parameters) {
            return Err(OauthError::InvalidRequest(
                "send the parameters in the body, not in the URL",
            ));
        }
        let bytes = body::read(body, BODY_LIMIT, within).await.map_err(|error| {
            OauthError::InvalidRequest(match error {
                BodyError::TooLarge => "the body is too large",
                BodyError::Broken => "the body ended early or its chunks are malformed",
                BodyError::TooSlow => "the body did not arrive in time",
            })
        })?;
        match body_format {
            BodyFormat::Form => Self::parse(&bytes),
            BodyFormat::Json => Self::parse_json(&bytes),
        }
    }

    /// Parses a form. Unknown parameters are ignored, repeated ones rejected (RFC 6749, section
    /// 3.2).
    ///
    /// # Errors
    /// `invalid_request`, also for values that are not UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, OauthError> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            // The replacement for bytes that are not UTF-8; no valid value contains it.
            if value.contains(char::REPLACEMENT_CHARACTER) && is_known(&name) {
                return Err(OauthError::InvalidRequest("a parameter value is not valid UTF-8"));
            }
            form.put(&name, value.into_owned())?;
        }
        Ok(form)
    }

    /// Parses a JSON object with the same parameters as strings; null counts as absent.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn parse_json(bytes: &[u8]) -> Result<Self, OauthError> {
        let members = serde_json::from_slice::<JsonMembers>(bytes);
        let JsonMembers(members) =
            members.map_err(|_| OauthError::InvalidRequest("the body must be a JSON object"))?;
        let mut form = Self::default();
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::String(text) => form.put(&name, text)?,
                _ if is_known(&name) => {
                    return Err(OauthError::InvalidRequest("parameter values must be strings"));
                }
                _ => {}
            }
        }
        Ok(form)
    }

    fn put(&mut self, name: &str, value: String) -> Result<(), OauthError> {
        let Some(name) = PARAMETERS.into_iter().find(|known| *known == name) else { return Ok(()) };
        match self.0.insert(name, value) {
            Some(_) => Err(OauthError::InvalidRequest("a parameter is repeated")),
            None => Ok(()),
        }
    }

    /// The value of a parameter; an empty value counts as absent (RFC 6749, section 3.2).
    pub fn get(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is present, even without a value.
    pub fn has(&self, name: &'static str) -> bool {
        self.0.contains_key(name)
    }
}

/// The format of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyFormat {
    Form,
    Json,
}

fn body_format(headers: &HeaderMap, takes_json: bool) -> Result<BodyFormat, OauthError> {
    let content_type = ContentType::of(headers);
    let is = |media_type: &str| {
        content_type.as_ref().is_some_and(|content_type| content_type.is(media_type))
    };
    let body_format = if is("application/x-www-form-urlencoded") {
        BodyFormat::Form
    } else if takes_json && is("application/json") {
        BodyFormat::Json
    } else {
        return Err(OauthError::InvalidRequest(
            "the Content-Type must be application/x-www-form-urlencoded",
        ));
    };
    if content_type.is_some_and(|content_type| !content_type.is_utf8()) {
        return Err(OauthError::InvalidRequest("the charset of the body must be UTF-8"));
    }
    Ok(body_format)
}

/// Whether a query component has known parameters, or any that cannot be parsed.
fn has_parameters(query: &str) -> bool {
    Form::parse(query.as_bytes()).map_or(true, |form| !form.0.is_empty())
}

fn is_known(name: &str) -> bool {
    PARAMETERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    fn typed(value: &'static str) -> bool {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
        body_format(&headers, false).is_ok()
    }

    #[test]
    fn members_of_json_are_parameters() {
        let form = Form::parse_json(br#"{"grant_type":"a","scope":null,"other":[1],"tenant":""}"#)
            .unwrap();
        assert_eq!(
            (form.get("grant_type"), form.has("scope"), form.get("tenant")),
            (Some("a"), false, None)
        );
        for refused in [
            "",
            "[]",
            "null",
            "{",
            r#"{"scope":1}"#,
            r#"{"token":"a","token":"b"}"#,
            r#"{"a":1} x"#,
        ] {
            assert!(Form::parse_json(refused.as_bytes()).is_err(), "{refused}");
        }
    }

    #[test]
    fn json_is_accepted_only_where_expected() {
        let headers = HeaderMap::from_iter([(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf8"),
        )]);
        assert_eq!(body_format(&headers, true), Ok(BodyFormat::Json));
        assert!(body_format(&headers, false).is_err());
    }

    #[test]
    fn repeated_parameter_is_rejected() {
        assert!(Form::parse(b"grant_type=a&grant_type=a").is_err());
        assert!(Form::parse(b"token=&token=a").is_err());
        assert!(Form::parse(b"unknown=a&unknown=a").is_ok());
    }

    #[test]
    fn parameter_without_value_counts_as_absent() {
        let form = Form::parse(b"scope=&tenant").unwrap();
        assert_eq!(form.get("scope"), None);
        assert!(form.has("tenant") && !form.has("token"));
    }

    #[test]
    fn invalid_utf_8_is_rejected() {
        assert!(Form::parse(b"client_id=%ff").is_err());
        assert!(Form::parse(b"client_id=\xff").is_err());
        assert_eq!(Form::parse(b"client_id=%C3%A9").unwrap().get("client_id"), Some("\u{e9}"));
    }

    #[test]
    fn charset_must_be_utf_8() {
        assert!(typed("application/x-www-form-urlencoded"));
        assert!(typed("Application/X-WWW-Form-Urlencoded; charset=\"UTF-8\""));
        assert!(typed("application/x-www-form-urlencoded;charset=utf8"));
        assert!(!typed("application/x-www-form-urlencoded; charset=utf-16"));
        assert!(!typed("application/json"));
        assert!(!typed(""));
    }
}
