//! `/_control`: the functions of a simulator over HTTP, for programs in other languages.
//! Enabled by `Config::control` of the simulator.
//!
//! | call | does |
//! |---|---|
//! | `GET /_control/tenants` | the tenants at the start, with their secret keys where they have any |
//! | `POST /_control/faults` | orders a fault (see below) |
//! | `DELETE /_control/faults` | cancels all orders |
//! | `GET /_control/calls` | the recorded calls; `DELETE` clears them |
//! | `POST /_control/clock` | `{"advanceMillis"}` moves the clock |
//! | `POST /_control/dialect` | switches the dialect |
//!
//! The body of an order is `{"calls": {"method", "path", "tenant"}, "fault": {"kind", …},
//! "times"}`. Each console adds the paths that need its own state.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::Answer;
use crate::calls::Calls;
use crate::delivery::{Delivery, deliver};
use crate::faults::FaultOrder;
use crate::host::{Console, SimulatorHost};

/// The host of a console, as control handlers take it.
pub(crate) type Controlled<C> = State<Arc<SimulatorHost<C>>>;

/// The console's router, with the control paths: those of every simulator and `own`, those of the
/// console.
pub(crate) fn router<C: Console>(
    host: &Arc<SimulatorHost<C>>,
    tenants: impl Serialize + Clone + Send + Sync + 'static,
    own: Router<Arc<SimulatorHost<C>>>,
) -> Router {
    let control = Router::new()
        .route("/_control/tenants", get(async move || send(Answer::value(200, &tenants))))
        .route("/_control/faults", post(order_fault::<C>))
        .route("/_control/calls", get(calls::<C>).delete(forget_calls::<C>))
        .route("/_control/clock", post(advance::<C>));
    control.merge(own).with_state(host.clone()).merge(host.router())
}

async fn order_fault<C: Console>(State(host): Controlled<C>, body: Bytes) -> Response {
    with(&body, |order: FaultOrder| host.faults().order(order))
}

async fn calls<C: Console>(State(host): Controlled<C>) -> Response {
    send(Answer::value(200, &host.journal().seen(&Calls::all())))
}

async fn forget_calls<C: Console>(State(host): Controlled<C>) -> Response {
    host.journal().clear();
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_millis: u64,
}

async fn advance<C: Console>(State(host): Controlled<C>, body: Bytes) -> Response {
    with(&body, |by: Advance| host.clock.advance(Duration::from_millis(by.advance_millis)))
}

/// Parses a body and applies it; 400 with the reason if it is invalid.
pub(crate) fn with<T: DeserializeOwned>(body: &[u8], handle: impl FnOnce(T)) -> Response {
    match serde_json::from_slice(body).map(handle) {
        Ok(()) => done(),
        Err(error) => send(Answer::value(400, &json!({ "message": error.to_string() }))),
    }
}

/// The answer to a call that returns nothing.
pub(crate) fn done() -> Response {
    send(Answer::empty(204))
}

fn send(answer: Answer) -> Response {
    deliver(answer, Delivery::Whole)
}
