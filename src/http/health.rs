//! Is the process alive, and can it serve?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::Door;
use super::reply::{JSON, json_response};

/// 200 as long as the process answers at all.
pub async fn live() -> Response {
    json_response(StatusCode::OK, JSON, &json!({ "status": "live" }))
}

/// 200 if the database answers and there is a key to sign with, else 503. Legacy systems are not asked: their faults are
/// theirs.
pub async fn ready(State(door): State<Arc<Door>>) -> Response {
    let database = door.database.ready().await;
    let keys = door.keys.current().is_ok();
    let word = |well| if well { "ok" } else { "failing" };
    let (status, text) = if database.is_ok() && keys {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let mut body = json!({ "status": text, "checks": { "database": word(database.is_ok()), "keys": word(keys) } });
    if let Err(failure) = database {
        body["causes"] = json!({ "database": failure.message() });
    }
    json_response(status, JSON, &body)
}
