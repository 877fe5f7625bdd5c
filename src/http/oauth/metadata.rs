//! The metadata of the authorization server (RFC 8414) and its keys (RFC 7517).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::{device, json_ok};
use crate::http::json_reply::no_such_path;
use crate::http::paths::{DEVICE_AUTHORIZATION, INTROSPECT, JWKS, REVOKE, TOKEN};
use crate::http::state::AppState;
use crate::roles::Permissions;
use crate::tokens::Assertion;

/// How long readers may cache the metadata: the next version may change it.
const METADATA_MAX_AGE: Duration = Duration::from_mins(5);

/// The metadata of an issuer. It lists everything that is supported.
pub fn document(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    // Programs with a device code are public.
    let token_methods = [methods.as_slice(), &["none"]].concat();
    let algorithms: Vec<_> = Assertion::algorithms().collect();
    json!({
        "issuer": issuer,
        "token_endpoint": at(TOKEN),
        "device_authorization_endpoint": at(DEVICE_AUTHORIZATION),
        "jwks_uri": at(JWKS),
        "introspection_endpoint": at(INTROSPECT),
        "revocation_endpoint": at(REVOKE),
        "scopes_supported": Permissions::scopes().collect::<Vec<_>>(),
        // Required by section 2 and by section 3.2 never empty: the registered response type that
        // returns nothing.
        "response_types_supported": ["none"],
        "grant_types_supported": ["client_credentials", device::GRANT_TYPE],
        "token_endpoint_auth_methods_supported": token_methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": token_methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
    })
}

/// Serves the metadata.
pub async fn metadata(State(state): State<Arc<AppState>>) -> Response {
    cacheable(METADATA_MAX_AGE, json_ok(&document(&state.oauth.issuer)))
}

/// Serves the metadata of an issuer with a path, which follows the well-known path (section 3.1).
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

/// Serves the keys. Readers may cache them for as long as a new key is published before its first
/// use.
pub async fn jwks(State(state): State<Arc<AppState>>) -> Response {
    // Without the database the known keys are served: readers need them to verify any token.
    state.keys.freshen().await.unwrap_or_else(|error| error.log_cause());
    cacheable(state.oauth.jwks_max_age, json_ok(&state.keys.published()))
}

fn cacheable(age: Duration, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("public, max-age={}", age.as_secs())) {
        response.headers_mut().insert(CACHE_CONTROL, value);
    }
    response
}
