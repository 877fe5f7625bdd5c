//! The control paths of a simulated server, beside those of [`crate::control`].
//!
//! | call | does |
//! |---|---|
//! | `DELETE /_control/faults` | cancels all orders, those for tasks included |
//! | `POST /_control/tasks` | orders the fate of tasks to come: `{"type", "fate": {"kind", …}, "times"}` |
//! | `POST /_control/dialect` | `"<name>"`: switches to this dialect |

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, post};
use serde::Deserialize;

use super::dialect::Dialect;
use super::installation::{Installation, TaskOrder};
use super::seeding::SeededTenant;
use super::task::{Fate, TaskKind};
use crate::control::{self, Controlled, done, with};
use crate::host::SimulatorHost;

/// The server's router, with the control paths.
pub(crate) fn router(
    host: &Arc<SimulatorHost<Installation>>,
    tenants: Vec<SeededTenant>,
) -> Router {
    let own = Router::new()
        .route("/_control/faults", delete(clear_orders))
        .route("/_control/tasks", post(order_task))
        .route("/_control/dialect", post(set_dialect));
    control::router(host, tenants, own)
}

async fn clear_orders(State(host): Controlled<Installation>) -> Response {
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

async fn order_task(State(host): Controlled<Installation>, body: Bytes) -> Response {
    with(&body, |OrderedTask { kind, fate, times }: OrderedTask| {
        host.console().orders.push(TaskOrder { kind, fate, times });
    })
}

async fn set_dialect(State(host): Controlled<Installation>, body: Bytes) -> Response {
    with(&body, |dialect: Dialect| host.console().dialect = dialect)
}
