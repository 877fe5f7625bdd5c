//! The credentials of a WebSocket: from headers, from subprotocols, or from `connection_init`. All
//! become headers, so that one function authenticates every caller.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::super::caller::{CREDENTIAL_HEADERS, credential_headers};
use crate::auth::TENANT_CONTEXT;
use crate::error::{Error, ErrorCode, Result};
use crate::http::browser::csrf;

/// How the Taegis SDK sends credentials among the subprotocols
/// (`docs/reference/taegis-client-contract.md`, section 10).
const TOKEN_PREFIX: &str = "access-token-";
const TENANT_PREFIX: &str = "x-tenant-context-";

/// Whether there are no credentials yet: a cookie, which browsers send by themselves, is none without
/// the token against forged requests.
pub fn is_empty(credentials: &HeaderMap) -> bool {
    !credentials.contains_key(AUTHORIZATION) && !credentials.contains_key(csrf::HEADER)
}

/// The credentials of an upgrade, from its headers and subprotocols.
///
/// # Errors
/// `BAD_REQUEST` if they contradict each other.
pub fn of_upgrade(headers: &HeaderMap, offered: &[String]) -> Result<HeaderMap> {
    let mut credentials = credential_headers(headers);
    for subprotocol in offered {
        if let Some(token) = subprotocol.strip_prefix(TOKEN_PREFIX) {
            add(&mut credentials, AUTHORIZATION, &format!("Bearer {token}"))?;
        } else if let Some(tenant) = subprotocol.strip_prefix(TENANT_PREFIX) {
            add(&mut credentials, TENANT_CONTEXT, tenant)?;
        }
    }
    Ok(credentials)
}

/// The credentials of an upgrade together with those of `connection_init`: `Authorization`,
/// `X-Tenant-Context` and `X-CSRF-Token`, in any letter case.
///
/// # Errors
/// `BAD_REQUEST` if they contradict each other.
pub fn of_init(upgrade: &HeaderMap, payload: &Map<String, Value>) -> Result<HeaderMap> {
    let mut credentials = upgrade.clone();
    for (key, value) in payload {
        let names = CREDENTIAL_HEADERS;
        let name = names.into_iter().find(|name| key.eq_ignore_ascii_case(name.as_str()));
        let Some(name) = name else { continue };
        match value {
            Value::Null => {}
            Value::String(text) => add(&mut credentials, name, text)?,
            _ => return Err(contradiction()),
        }
    }
    Ok(credentials)
}

fn add(credentials: &mut HeaderMap, name: HeaderName, text: &str) -> Result<()> {
    let value = HeaderValue::from_str(text).map_err(|_| contradiction())?;
    match credentials.get(&name) {
        Some(known) if !is_same(&name, known, &value) => Err(contradiction()),
        Some(_) => Ok(()),
        None => {
            credentials.insert(name, value);
            Ok(())
        }
    }
}

/// Whether two values are equal; the letter case of the scheme `Bearer` does not count.
fn is_same(name: &HeaderName, left: &HeaderValue, right: &HeaderValue) -> bool {
    let token = |value: &HeaderValue| {
        let text = value.to_str().ok()?;
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' ').to_owned())
    };
    left == right
        || (*name == AUTHORIZATION && token(left).is_some() && token(left) == token(right))
}

fn contradiction() -> Error {
    Error::new(ErrorCode::BadRequest, "the credentials of the WebSocket contradict each other")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn of(headers: &HeaderMap, offered: &[&str]) -> Result<HeaderMap> {
        let offered: Vec<_> = offered.iter().map(|&name| name.to_owned()).collect();
        of_upgrade(headers, &offered)
    }

    fn payload(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn subprotocols_become_headers() {
        let offered = ["graphql-ws", "access-token-a.b.c", "x-tenant-context-7"];
        let credentials = of(&HeaderMap::new(), &offered).unwrap();
        assert_eq!(credentials[AUTHORIZATION], "Bearer a.b.c");
        assert_eq!(credentials[TENANT_CONTEXT], "7");
    }

    #[test]
    fn headers_and_subprotocols_must_agree() {
        let both = headers(&[("authorization", "bearer a"), ("x-tenant-context", "7")]);
        assert!(of(&both, &["access-token-a", "x-tenant-context-7"]).is_ok());
        assert!(of(&both, &["access-token-b"]).is_err());
        assert!(of(&both, &["x-tenant-context-8"]).is_err());
        assert!(of(&HeaderMap::new(), &["access-token-a", "access-token-b"]).is_err());
    }

    #[test]
    fn connection_init_adds_what_is_missing_and_must_not_contradict() {
        let token = headers(&[("authorization", "Bearer a")]);
        let added =
            of_init(&token, &payload(json!({ "x-TENANT-context": "7", "other": [1] }))).unwrap();
        assert_eq!(added[AUTHORIZATION], "Bearer a");
        assert_eq!(added[TENANT_CONTEXT], "7");
        assert!(of_init(&token, &payload(json!({ "Authorization": "Bearer b" }))).is_err());
        assert!(of_init(&token, &payload(json!({ "X-Tenant-Context": 7 }))).is_err());
        assert!(of_init(&token, &payload(json!({ "X-Tenant-Context": "a\nb" }))).is_err());
        assert!(is_empty(&of_init(&HeaderMap::new(), &payload(json!({}))).unwrap()));
    }

    #[test]
    fn session_needs_its_token_and_no_message_brings_a_cookie() {
        let upgrade = headers(&[("cookie", "__Host-session=a"), ("origin", "https://a.example")]);
        let credentials = of(&upgrade, &[]).unwrap();
        assert!(is_empty(&credentials), "browsers send cookies by themselves");
        let added = of_init(&credentials, &payload(json!({ "X-CSRF-Token": "b" }))).unwrap();
        assert!(!is_empty(&added));
        assert_eq!(added["cookie"], upgrade["cookie"]);
        assert_eq!(added["x-csrf-token"], "b");
        let forged =
            payload(json!({ "Cookie": "__Host-session=c", "Origin": "https://b.example" }));
        let same = of_init(&credentials, &forged).unwrap();
        assert_eq!(same, credentials);
    }
}
