//! Gauges that a scrape sets from a snapshot of the node.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{CircuitLabels, PoolLabels, SpanLabels, StateLabels};
use super::process::Process;
use crate::clock::Timestamp;

type Level = Gauge<f64, AtomicU64>;

/// Figures that a scrape sets from its snapshot.
#[derive(Default)]
pub struct Gauges {
    budget_limit: Family<PoolLabels, Gauge>,
    budget_used: Family<PoolLabels, Gauge>,
    budget_waiting: Family<PoolLabels, Gauge>,
    budget_refused: Family<PoolLabels, Counter>,
    circuits: Family<CircuitLabels, Gauge>,
    database_connections: Family<StateLabels, Gauge>,
    database_latency: Level,
    database_up: Gauge,
    clock_skew: Level,
    tasks: Family<StateLabels, Gauge>,
    tenant_keys: Family<StateLabels, Gauge>,
    tenant_key_first_expiry: Level,
    log_lines_dropped: Counter,
    trace_spans: Family<SpanLabels, Counter>,
    process_cpu: Counter<f64, AtomicU64>,
    process_memory: Gauge,
    process_files: Gauge,
    process_files_max: Gauge,
    process_start: Level,
}

/// The state of this node at the moment of a scrape.
#[derive(Default)]
pub struct Snapshot {
    /// The pools of permits.
    pub budgets: Vec<Pool>,
    /// How many circuits of a system are in a state: system, state, number.
    pub circuits: Vec<(&'static str, &'static str, u64)>,
    /// Connections to the database: in use, idle.
    pub database_connections: (u32, u32),
    /// How long the database took to answer; none where it did not.
    pub database_latency: Option<Duration>,
    /// How far the wall clock is off the database's.
    pub clock_skew: Duration,
    /// How many log lines were dropped since the process began.
    pub log_lines_dropped: u64,
    /// How many spans of traces ended in which way; empty where no traces are recorded.
    pub trace_spans: Vec<(&'static str, u64)>,
    /// How many tasks of legacy systems, of all nodes, are in a state; empty while the database
    /// does not answer.
    pub tasks: Vec<(&'static str, u64)>,
    /// How many keys of tenants, of all nodes, are in a state; empty while the database does not
    /// answer.
    pub tenant_keys: Vec<(&'static str, u64)>,
    /// When the first of the keys in use expires; none if none is in use.
    pub tenant_key_first_expiry: Option<Timestamp>,
    /// The figures of the process; none where the system does not tell.
    pub process: Option<Process>,
}

/// A pool of permits.
pub struct Pool {
    /// The name.
    pub name: &'static str,
    /// How many units there are.
    pub limit: usize,
    /// How many are in use.
    pub used: usize,
    /// How many callers wait.
    pub waiting: usize,
    /// How many were refused since the process began.
    pub refused: u64,
}

impl Gauges {
    /// Registers the figures that have the gateway's prefix.
    pub fn register(&self, registry: &mut Registry) {
        let pools = "of each budget: connections, sockets, streams, operations, responses, \
            upstream_answers";
        registry.register("budget_limit", format!("Size {pools}"), self.budget_limit.clone());
        registry.register("budget_used", format!("Use {pools}"), self.budget_used.clone());
        registry.register(
            "budget_waiting",
            "Callers that wait for room in a budget",
            self.budget_waiting.clone(),
        );
        registry.register(
            "budget_refused",
            "Callers that found no room in a budget in time",
            self.budget_refused.clone(),
        );
        self.register_dependencies(registry);
        registry.register(
            "log_lines_dropped",
            "Log lines dropped because too many waited to be written",
            self.log_lines_dropped.clone(),
        );
        registry.register(
            "trace_spans",
            "Spans of traces by outcome: exported, failed, dropped",
            self.trace_spans.clone(),
        );
        self.register_stored(registry);
    }

    /// Figures about the systems that this node depends on.
    fn register_dependencies(&self, registry: &mut Registry) {
        registry.register(
            "upstream_circuits",
            "Circuits by system and state: closed, open, half_open",
            self.circuits.clone(),
        );
        registry.register(
            "database_connections",
            "Connections to the database by state: used, idle",
            self.database_connections.clone(),
        );
        registry.register_with_unit(
            "database_latency",
            "Time in which the database answered this scrape",
            Unit::Seconds,
            self.database_latency.clone(),
        );
        registry.register(
            "database_up",
            "1 if the database answered this scrape, else 0",
            self.database_up.clone(),
        );
        registry.register_with_unit(
            "clock_skew",
            "How far the wall clock of this node is off the database's",
            Unit::Seconds,
            self.clock_skew.clone(),
        );
    }

    /// Figures from the database, the same at every node.
    fn register_stored(&self, registry: &mut Registry) {
        registry.register(
            "tasks",
            "Tasks of the Integration Server by state, of all nodes: sent, known, lost",
            self.tasks.clone(),
        );
        registry.register(
            "tenant_keys",
            "Keys minted at Deep Security by state, of all nodes: pending, live, spent, stray",
            self.tenant_keys.clone(),
        );
        registry.register_with_unit(
            "tenant_key_first_expiry",
            "When the first key in use expires, since 1970",
            Unit::Seconds,
            self.tenant_key_first_expiry.clone(),
        );
    }

    /// Under the names that every Prometheus client uses, without a prefix of ours.
    pub fn register_process(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "process_cpu",
            "Processor time used, of user and system",
            Unit::Seconds,
            self.process_cpu.clone(),
        );
        registry.register_with_unit(
            "process_resident_memory",
            "Resident memory",
            Unit::Bytes,
            self.process_memory.clone(),
        );
        registry.register("process_open_fds", "Open files", self.process_files.clone());
        registry.register(
            "process_max_fds",
            "The most files that may be open",
            self.process_files_max.clone(),
        );
        registry.register_with_unit(
            "process_start_time",
            "When the process started, since 1970",
            Unit::Seconds,
            self.process_start.clone(),
        );
    }

    /// Sets when the process started.
    pub fn set_started(&self, started: Timestamp) {
        self.process_start.set(started.millis() as f64 / 1_000.0);
    }

    /// Sets what the snapshot has.
    pub fn set(&self, snapshot: &Snapshot) {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for pool in &snapshot.budgets {
            let labels = PoolLabels { pool: pool.name };
            self.budget_limit.get_or_create(&labels).set(count(pool.limit as u64));
            self.budget_used.get_or_create(&labels).set(count(pool.used as u64));
            self.budget_waiting.get_or_create(&labels).set(count(pool.waiting as u64));
            let refused = self.budget_refused.get_or_create(&labels);
            refused.inner().store(pool.refused, Ordering::Relaxed);
        }
        self.circuits.clear();
        for (system, state, number) in &snapshot.circuits {
            self.circuits.get_or_create(&CircuitLabels { system, state }).set(count(*number));
        }
        let (used, idle) = snapshot.database_connections;
        self.database_connections.get_or_create(&StateLabels { state: "used" }).set(used.into());
        self.database_connections.get_or_create(&StateLabels { state: "idle" }).set(idle.into());
        self.database_up.set(snapshot.database_latency.is_some().into());
        let latency = snapshot.database_latency.map_or(f64::NAN, |latency| latency.as_secs_f64());
        self.database_latency.set(latency);
        self.clock_skew.set(snapshot.clock_skew.as_secs_f64());
        self.log_lines_dropped.inner().store(snapshot.log_lines_dropped, Ordering::Relaxed);
        for (outcome, number) in &snapshot.trace_spans {
            let spans = self.trace_spans.get_or_create(&SpanLabels { outcome });
            spans.inner().store(*number, Ordering::Relaxed);
        }
        for (family, states) in
            [(&self.tasks, &snapshot.tasks), (&self.tenant_keys, &snapshot.tenant_keys)]
        {
            family.clear();
            for (state, number) in states {
                family.get_or_create(&StateLabels { state }).set(count(*number));
            }
        }
        let first_expiry = snapshot.tenant_key_first_expiry;
        let first_expiry = first_expiry.map_or(f64::NAN, |end| end.millis() as f64 / 1_000.0);
        self.tenant_key_first_expiry.set(first_expiry);
        if let Some(process) = &snapshot.process {
            self.process_cpu.inner().store(process.cpu_seconds.to_bits(), Ordering::Relaxed);
            self.process_memory.set(count(process.resident_bytes));
            self.process_files.set(count(process.open_files));
            self.process_files_max.set(count(process.open_files_max));
        }
    }
}
