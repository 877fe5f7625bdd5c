//! `POST /reload` of the admin listener.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::json_reply::{JSON, json_response};
use super::state::AppState;

/// Reloads the settings.
///
/// Without a token: it takes no input, puts into force nothing but the file that the operator wrote,
/// and tells names of settings, no values. It is answered on this machine alone, and not to pages in
/// a browser, which send `Origin` with every POST. Status 409 if the settings are not valid.
pub async fn reload(
    State(state): State<Arc<AppState>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if !peer.ip().to_canonical().is_loopback() || headers.contains_key(ORIGIN) {
        let message = "settings can be reloaded only from the machine that the gateway runs on: \
                       run `tenant-gateway reload` there, or send SIGHUP to the process";
        let body = json!({ "error": "forbidden", "message": message });
        return json_response(StatusCode::FORBIDDEN, JSON, &body);
    }
    match state.reload.reload().await {
        Ok(done) => {
            let body = json!({ "applied": done.applied, "needsRestart": done.needs_restart });
            json_response(StatusCode::OK, JSON, &body)
        }
        Err(reason) => {
            let body = json!({ "error": "not_reloaded", "message": reason });
            json_response(StatusCode::CONFLICT, JSON, &body)
        }
    }
}
