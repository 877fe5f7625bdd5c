//! The control paths of a simulated manager, beside those of [`crate::control`].

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, post};

use super::dialect::Dialect;
use super::manager::Manager;
use super::seeding::SeededTenant;
use crate::control::{self, Controlled, done, with};
use crate::host::SimulatorHost;

/// The manager's router, with the control paths.
pub(crate) fn router(host: &Arc<SimulatorHost<Manager>>, tenants: Vec<SeededTenant>) -> Router {
    let own = Router::new()
        .route("/_control/faults", delete(clear_faults))
        .route("/_control/dialect", post(set_dialect));
    control::router(host, tenants, own)
}

async fn clear_faults(State(host): Controlled<Manager>) -> Response {
    host.faults().clear();
    done()
}

async fn set_dialect(State(host): Controlled<Manager>, body: Bytes) -> Response {
    with(&body, |dialect: Dialect| host.console().set_dialect(dialect))
}
