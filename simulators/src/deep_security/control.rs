//! `/_control`: the functions of [`super::Simulator`] over HTTP, for programs in other languages.
//! Enabled by `Config::control`.
//!
//! | call | does |
//! |---|---|
//! | `GET /_control/tenants` | the tenants at the start, with their secret keys |
//! | `POST /_control/faults` | orders a fault (see below) |
//! | `DELETE /_control/faults` | cancels all orders |
//! | `GET /_control/calls` | the recorded calls; `DELETE` clears them |
//! | `POST /_control/clock` | `{"advanceMillis"}` moves the clock |
//! | `POST /_control/dialect` | switches the dialect |
//!
//! The body of an order is `{"calls": {"method", "path", "tenant"}, "fault": {"kind", …},
//! "times"}`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::dialect::Dialect;
use super::manager::Manager;
use super::seeding::SeededTenant;
use crate::answer::Answer;
use crate::calls::Calls;
use crate::delivery::{Delivery, deliver};
use crate::faults::FaultOrder;
use crate::host::SimulatorHost;

type Controlled = State<Arc<SimulatorHost<Manager>>>;

/// The manager's router, with the control paths.
pub(crate) fn router(host: &Arc<SimulatorHost<Manager>>, tenants: Vec<SeededTenant>) -> Router {
    let control = Router::new()
        .route("/_control/tenants", get(async move || send(Answer::value(200, &tenants))))
        .route("/_control/faults", post(order_fault).delete(clear_faults))
        .route("/_control/calls", get(calls).delete(forget_calls))
        .route("/_control/clock", post(advance))
        .route("/_control/dialect", post(set_dialect));
    control.with_state(host.clone()).merge(host.router())
}

async fn order_fault(State(host): Controlled, body: Bytes) -> Response {
    with(&body, |order: FaultOrder| host.faults().order(order))
}

async fn clear_faults(State(host): Controlled) -> Response {
    host.faults().clear();
    done()
}

async fn calls(State(host): Controlled) -> Response {
    send(Answer::value(200, &host.journal().seen(&Calls::all())))
}

async fn forget_calls(State(host): Controlled) -> Response {
    host.journal().clear();
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_millis: u64,
}

async fn advance(State(host): Controlled, body: Bytes) -> Response {
    with(&body, |by: Advance| host.clock.advance(Duration::from_millis(by.advance_millis)))
}

async fn set_dialect(State(host): Controlled, body: Bytes) -> Response {
    with(&body, |dialect: Dialect| host.console().set_dialect(dialect))
}

/// Parses a body and applies it; 400 with the reason if it is invalid.
fn with<T: DeserializeOwned>(body: &[u8], handle: impl FnOnce(T)) -> Response {
    match serde_json::from_slice(body).map(handle) {
        Ok(()) => done(),
        Err(error) => send(Answer::value(400, &json!({ "message": error.to_string() }))),
    }
}

fn done() -> Response {
    send(Answer::empty(204))
}

fn send(answer: Answer) -> Response {
    deliver(answer, Delivery::Whole)
}
