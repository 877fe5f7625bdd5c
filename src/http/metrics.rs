//! `/metrics` of the admin listener, in the text format of OpenMetrics 1.0.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::state::AppState;
use crate::budget::Figures;
use crate::metrics::{OPENMETRICS, Pool, Process, Snapshot};
use crate::outbound::Circuit;

/// The figures of this node. Answers also while the database does not, within its time limit.
pub async fn scrape(State(state): State<Arc<AppState>>) -> Response {
    let text = state.metrics.encode(&snapshot(&state).await);
    ([(CONTENT_TYPE, HeaderValue::from_static(OPENMETRICS))], text).into_response()
}

async fn snapshot(state: &AppState) -> Snapshot {
    let asked = state.authorizer.monotonic();
    let database = state.database.ready().await;
    let latency = state.authorizer.monotonic().since(asked);
    Snapshot {
        budgets: state.budgets.figures().iter().map(pool).collect(),
        circuits: circuits(state),
        database_connections: state.database.connections(),
        database_latency: database.is_ok().then_some(latency),
        clock_skew: state.time.skew(),
        process: Process::now(),
    }
}

fn pool(figures: &Figures) -> Pool {
    let Figures { name, limit, in_use, waiting, refused, .. } = *figures;
    Pool { name, limit, used: in_use, waiting, refused }
}

fn circuits(state: &AppState) -> Vec<(&'static str, &'static str, u64)> {
    let circuits = state.outbound.circuits().into_iter();
    circuits.map(|(system, circuit, number)| (system, word(circuit), number)).collect()
}

fn word(circuit: Circuit) -> &'static str {
    match circuit {
        Circuit::Closed => "closed",
        Circuit::Open => "open",
        Circuit::HalfOpen => "half_open",
    }
}
