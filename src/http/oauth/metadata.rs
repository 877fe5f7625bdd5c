//! What the gateway says of itself as an authorization server (RFC 8414), and its keys (RFC 7517).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::json_ok;
use crate::http::AppState;
use crate::http::reply::no_such_path;
use crate::roles::Permissions;
use crate::tokens::Assertion;

/// Where tokens are asked for.
pub const TOKEN: &str = "/oauth2/token";
/// The same, where scripts written against the Taegis API look for it.
pub const TAEGIS_TOKEN: &str = "/auth/api/v2/auth/token";
/// Where tokens are asked about.
pub const INTROSPECT: &str = "/oauth2/introspect";
/// Where tokens are ended.
pub const REVOKE: &str = "/oauth2/revoke";
/// Where the keys are.
pub const JWKS: &str = "/.well-known/jwks.json";

/// Endpoints may change with the next version: readers ask again soon.
const METADATA_MAX_AGE: Duration = Duration::from_mins(5);

/// The metadata of an issuer. What is not named here does not work.
pub fn document(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    let algorithms: Vec<_> = Assertion::algorithms().collect();
    json!({
        "issuer": issuer,
        "token_endpoint": at(TOKEN),
        "jwks_uri": at(JWKS),
        "introspection_endpoint": at(INTROSPECT),
        "revocation_endpoint": at(REVOKE),
        "scopes_supported": Permissions::scopes().collect::<Vec<_>>(),
        // Required by section 2, and by section 3.2 never empty: the registered name for a response
        // that gives nothing.
        "response_types_supported": ["none"],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
    })
}

/// Serves the metadata.
pub async fn metadata(State(state): State<Arc<AppState>>) -> Response {
    kept_for(METADATA_MAX_AGE, json_ok(&document(&state.oauth.issuer)))
}

/// Serves the metadata where section 3.1 puts it for an issuer with a path: that path behind the
/// well-known one.
pub async fn metadata_of_path(
    State(state): State<Arc<AppState>>,
    uri: Uri,
    Path(path): Path<String>,
) -> Response {
    let host_and_path = state.oauth.issuer.split_once("://").map_or("", |(_, rest)| rest);
    match host_and_path.split_once('/') {
        Some((_, own)) if own == path => metadata(State(state)).await,
        _ => no_such_path(uri, None).await,
    }
}

/// Serves the keys. A reader may keep them for as long as a new key is published before it signs.
pub async fn jwks(State(state): State<Arc<AppState>>) -> Response {
    // While the database cannot be asked, what is known serves on: readers need the keys to verify
    // tokens at all.
    state.keys.freshen().await.unwrap_or_else(|error| error.log_cause());
    kept_for(state.oauth.jwks_max_age, json_ok(&state.keys.published()))
}

fn kept_for(age: Duration, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("public, max-age={}", age.as_secs())) {
        response.headers_mut().insert(CACHE_CONTROL, value);
    }
    response
}
