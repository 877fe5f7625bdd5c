//! `/metrics` of the admin listener, in the text format of OpenMetrics 1.0.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::state::AppState;
use crate::budget::Figures;
use crate::clock::Timestamp;
use crate::database::Database;
use crate::deep_security::keys::{self, KeyFigures};
use crate::integration_server::tasks::{self, TaskFigures};
use crate::metrics::{OPENMETRICS, Pool, Process, Snapshot};
use crate::outbound::Circuit;
use crate::telemetry::{self, TraceFigures, trace_figures};

/// How long the database may take to count: Prometheus waits for ten seconds.
const STORED_TIMEOUT: Duration = Duration::from_secs(2);

/// The figures of this node. Answers also while the database does not, within its time limit.
pub async fn scrape(State(state): State<Arc<AppState>>) -> Response {
    let text = state.metrics.encode(&snapshot(&state).await);
    ([(CONTENT_TYPE, HeaderValue::from_static(OPENMETRICS))], text).into_response()
}

async fn snapshot(state: &AppState) -> Snapshot {
    let asked = state.authorizer.monotonic();
    let database = state.database.ready().await;
    let latency = state.authorizer.monotonic().since(asked);
    let stored = match database {
        Ok(()) => timeout(STORED_TIMEOUT, Stored::read(&state.database)).await.unwrap_or_default(),
        Err(_) => Stored::default(),
    };
    Snapshot {
        budgets: state.budgets.figures().iter().map(pool).collect(),
        circuits: circuits(state),
        database_connections: state.database.connections(),
        database_latency: database.is_ok().then_some(latency),
        clock_skew: state.time.skew(),
        log_lines_dropped: telemetry::dropped_lines(),
        tasks: stored.tasks,
        tenant_keys: stored.tenant_keys,
        tenant_key_first_expiry: stored.tenant_key_first_expiry,
        trace_spans: trace_figures().map_or_else(Vec::new, trace_spans),
        process: Process::now(),
    }
}

/// Figures that stand in the database; empty if it does not tell them.
#[derive(Default)]
struct Stored {
    tasks: Vec<(&'static str, u64)>,
    tenant_keys: Vec<(&'static str, u64)>,
    tenant_key_first_expiry: Option<Timestamp>,
}

impl Stored {
    async fn read(database: &Database) -> Self {
        let tasks = tasks::figures(database).await;
        let keys = keys::figures(database.reader()).await;
        let tasks = tasks.map_err(|error| error.log_cause()).ok();
        let keys = keys.map_err(|error| error.log_cause()).ok();
        Self {
            tasks: tasks.map_or_else(Vec::new, task_states),
            tenant_keys: keys.map_or_else(Vec::new, key_states),
            tenant_key_first_expiry: keys.and_then(|keys| keys.first_expiry),
        }
    }
}

fn task_states(TaskFigures { sent, known, lost }: TaskFigures) -> Vec<(&'static str, u64)> {
    vec![("sent", sent), ("known", known), ("lost", lost)]
}

fn key_states(figures: KeyFigures) -> Vec<(&'static str, u64)> {
    let KeyFigures { pending, live, spent, stray, first_expiry: _ } = figures;
    vec![("pending", pending), ("live", live), ("spent", spent), ("stray", stray)]
}

fn trace_spans(figures: TraceFigures) -> Vec<(&'static str, u64)> {
    let TraceFigures { exported, failed, dropped } = figures;
    vec![("exported", exported), ("failed", failed), ("dropped", dropped)]
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
