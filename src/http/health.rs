//! Liveness and readiness probes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::json_reply::{JSON, json_response};
use super::state::AppState;
use crate::database_time::ClockHealth;

/// Status 200 as long as the process answers.
pub async fn live() -> Response {
    json_response(StatusCode::OK, JSON, &json!({ "status": "live" }))
}

/// Status 200 if the database answers, a signing key exists and the clock agrees with the
/// database's, else 503. A clock that is off by more than 5 s is `degraded`: still 200 up to 60 s.
/// Legacy systems are not checked: their failures do not make this node unready.
/// While it shuts down, a node is `stopping`: 503, though it serves for `server.shutdown_delay`.
pub async fn ready(State(state): State<Arc<AppState>>) -> Response {
    let database = state.database.ready().await;
    let keys = state.keys.current().is_ok();
    let health = state.time.health();
    let word = |well| if well { "ok" } else { "failing" };
    let clock = match health {
        ClockHealth::InSync => "ok",
        ClockHealth::Skewed => "degraded",
        ClockHealth::Unusable => "failing",
    };
    let (status, text) = match health {
        _ if state.stopping.load(Ordering::SeqCst) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        ClockHealth::InSync if database.is_ok() && keys => (StatusCode::OK, "ready"),
        ClockHealth::Skewed if database.is_ok() && keys => (StatusCode::OK, "degraded"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let checks = json!({ "database": word(database.is_ok()), "keys": word(keys), "clock": clock });
    let mut body = json!({ "status": text, "checks": checks });
    if let Err(failure) = database {
        body["causes"] = json!({ "database": failure.message() });
    }
    json_response(status, JSON, &body)
}
