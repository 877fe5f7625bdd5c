//! `/_control`: the simulator's handle over HTTP, for programs in other languages. Only served on
//! request.
//!
//! | call | does |
//! |---|---|
//! | `GET /_control/tenants` | the tenants at the start |
//! | `POST /_control/faults` | takes an order: `{"calls": {"method", "path", "tenant"}, "fault": {"kind", …}, "times"}` |
//! | `DELETE /_control/faults` | takes all orders back, those for tasks included |
//! | `POST /_control/tasks` | takes an order for tasks to come: `{"type", "fate": {"kind", …}, "times"}` |
//! | `GET /_control/calls` | the calls seen; `DELETE` forgets them |
//! | `POST /_control/clock` | `{"advanceMillis"}` moves the clock |
//! | `POST /_control/dialect` | `"<name>"`: answers by these readings from now on |

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
use super::installation::{Installation, TaskOrder};
use super::seeding::SeededTenant;
use super::task::{Fate, TaskKind};
use crate::answer::Answer;
use crate::calls::Calls;
use crate::delivery::{Delivery, deliver};
use crate::faults::FaultOrder;
use crate::host::SimulatorHost;

type Controlled = State<Arc<SimulatorHost<Installation>>>;

/// The server's own router with the control paths before it.
pub(crate) fn router(
    host: &Arc<SimulatorHost<Installation>>,
    tenants: Vec<SeededTenant>,
) -> Router {
    let control = Router::new()
        .route("/_control/tenants", get(async move || send(Answer::value(200, &tenants))))
        .route("/_control/faults", post(order_fault).delete(clear_orders))
        .route("/_control/tasks", post(order_task))
        .route("/_control/calls", get(calls).delete(forget_calls))
        .route("/_control/clock", post(advance))
        .route("/_control/dialect", post(set_dialect));
    control.with_state(host.clone()).merge(host.router())
}

async fn order_fault(State(host): Controlled, body: Bytes) -> Response {
    with(&body, |order: FaultOrder| host.faults().order(order))
}

async fn clear_orders(State(host): Controlled) -> Response {
    host.faults().clear();
    host.console().orders.clear();
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderedTask {
    #[serde(rename = "type")]
    kind: TaskKind,
    fate: Fate,
    times: u32,
}

async fn order_task(State(host): Controlled, body: Bytes) -> Response {
    with(&body, |OrderedTask { kind, fate, times }: OrderedTask| {
        host.console().orders.push(TaskOrder { kind, fate, times });
    })
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
    with(&body, |dialect: Dialect| host.console().dialect = dialect)
}

/// Executes an order, or returns the problem with it.
fn with<T: DeserializeOwned>(body: &[u8], carry_out: impl FnOnce(T)) -> Response {
    match serde_json::from_slice(body).map(carry_out) {
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
