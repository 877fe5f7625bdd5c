//! Who opens a WebSocket: told by headers, by subprotocol tokens, or by the first message, all
//! brought into the one form of headers, so that the same function judges them.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::super::caller::{CREDENTIAL_HEADERS, credential_headers};
use crate::auth::bearer::TENANT_CONTEXT;
use crate::error::{Error, ErrorCode, Result};

const TENANT: HeaderName = HeaderName::from_static(TENANT_CONTEXT);

/// How the Taegis SDK puts credentials among the subprotocols
/// (`docs/reference/taegis-client-contract.md`, section 10).
const TOKEN_PREFIX: &str = "access-token-";
const TENANT_PREFIX: &str = "x-tenant-context-";

/// Whether no credentials were presented.
pub fn is_empty(credential_headers: &HeaderMap) -> bool {
    !credential_headers.contains_key(AUTHORIZATION)
}

/// What an upgrade presents, by its headers and its subprotocols.
///
/// # Errors
/// `BAD_REQUEST` if they contradict each other.
pub fn of_upgrade(headers: &HeaderMap, offered: &[&str]) -> Result<HeaderMap> {
    let mut credential_headers = credential_headers(headers);
    for subprotocol in offered {
        if let Some(token) = subprotocol.strip_prefix(TOKEN_PREFIX) {
            add(&mut credential_headers, AUTHORIZATION, &format!("Bearer {token}"))?;
        } else if let Some(tenant) = subprotocol.strip_prefix(TENANT_PREFIX) {
            add(&mut credential_headers, TENANT, tenant)?;
        }
    }
    Ok(credential_headers)
}

/// What was presented already, and what `connection_init` adds: `Authorization` and
/// `X-Tenant-Context`, in any letter case.
///
/// # Errors
/// `BAD_REQUEST` if they contradict each other.
pub fn of_init(credential_headers: &HeaderMap, payload: &Map<String, Value>) -> Result<HeaderMap> {
    let mut credential_headers = credential_headers.clone();
    for (key, value) in payload {
        let Some(name) =
            CREDENTIAL_HEADERS.into_iter().find(|name| key.eq_ignore_ascii_case(name.as_str()))
        else {
            continue;
        };
        match value {
            Value::Null => {}
            Value::String(text) => add(&mut credential_headers, name, text)?,
            _ => return Err(contradiction()),
        }
    }
    Ok(credential_headers)
}

fn add(credential_headers: &mut HeaderMap, name: HeaderName, text: &str) -> Result<()> {
    let value = HeaderValue::from_str(text).map_err(|_| contradiction())?;
    match credential_headers.get(&name) {
        Some(known) if !same(&name, known, &value) => Err(contradiction()),
        Some(_) => Ok(()),
        None => {
            credential_headers.insert(name, value);
            Ok(())
        }
    }
}

fn same(name: &HeaderName, left: &HeaderValue, right: &HeaderValue) -> bool {
    let scheme_aside = |value: &HeaderValue| {
        let text = value.to_str().ok()?;
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' ').to_owned())
    };
    left == right
        || (*name == AUTHORIZATION
            && scheme_aside(left).is_some()
            && scheme_aside(left) == scheme_aside(right))
}

fn contradiction() -> Error {
    Error::new(ErrorCode::BadRequest, "the credentials of this WebSocket contradict each other")
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

    fn payload(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn subprotocols_stand_for_headers() {
        let credential_headers = of_upgrade(
            &HeaderMap::new(),
            &["graphql-ws", "access-token-a.b.c", "x-tenant-context-7"],
        )
        .unwrap();
        assert_eq!(credential_headers[AUTHORIZATION], "Bearer a.b.c");
        assert_eq!(credential_headers[TENANT], "7");
    }

    #[test]
    fn headers_and_subprotocols_must_agree() {
        let both = headers(&[("authorization", "bearer a"), ("x-tenant-context", "7")]);
        assert!(of_upgrade(&both, &["access-token-a", "x-tenant-context-7"]).is_ok());
        assert!(of_upgrade(&both, &["access-token-b"]).is_err());
        assert!(of_upgrade(&both, &["x-tenant-context-8"]).is_err());
        assert!(of_upgrade(&HeaderMap::new(), &["access-token-a", "access-token-b"]).is_err());
    }

    #[test]
    fn the_first_message_adds_what_is_missing_and_contradicts_nothing() {
        let token = headers(&[("authorization", "Bearer a")]);
        let added =
            of_init(&token, &payload(json!({ "x-TENANT-context": "7", "other": [1] }))).unwrap();
        assert_eq!(
            (added[AUTHORIZATION].as_bytes(), added[TENANT].as_bytes()),
            (&b"Bearer a"[..], &b"7"[..])
        );
        assert!(of_init(&token, &payload(json!({ "Authorization": "Bearer b" }))).is_err());
        assert!(of_init(&token, &payload(json!({ "X-Tenant-Context": 7 }))).is_err());
        assert!(of_init(&token, &payload(json!({ "X-Tenant-Context": "a\nb" }))).is_err());
        assert!(is_empty(&of_init(&HeaderMap::new(), &payload(json!({}))).unwrap()));
    }
}
