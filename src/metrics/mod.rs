//! Figures of this node for Prometheus: counters that the other rooms add to, and gauges that are
//! read when somebody asks.
//!
//! Every label value comes from a closed set. Tenant ids are a label only where the operator opts
//! in, and then of at most [`TENANTS_MAX`] tenants.

mod labels;
mod process;
mod tenants;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::clock::Timestamp;
use crate::ids::TenantId;
use labels::{
    CallLabels, CircuitLabels, KindLabels, OperationLabels, PoolLabels, RequestLabels, StateLabels,
    SystemLabels, TokenLabels,
};
pub use process::Process;
pub use tenants::TENANTS_MAX;
use tenants::TenantLabels;

/// From one millisecond, the time of a cached answer, to the longest deadline of the limits.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The media type of OpenMetrics text, version 1.0.0.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;
type Level = Gauge<f64, AtomicU64>;

/// The figures of one node.
pub struct Metrics {
    registry: Registry,
    tenants: TenantLabels,
    http_requests: Family<RequestLabels, Counter>,
    operations: Family<OperationLabels, Counter>,
    operation_seconds: Seconds<KindLabels>,
    upstream_calls: Family<CallLabels, Counter>,
    upstream_call_seconds: Seconds<SystemLabels>,
    tokens: Family<TokenLabels, Counter>,
    gauges: Gauges,
    /// Held while gauges are set and read, so that two scrapes do not mix.
    scrape: Mutex<()>,
}

/// Figures that a scrape sets from its snapshot.
#[derive(Default)]
struct Gauges {
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

/// One operation that was executed, or refused.
pub struct Operation {
    /// `post`, `get`, `sse` or `websocket`.
    pub transport: &'static str,
    /// `query`, `mutation`, `subscription`, or `unknown` for a document that is refused.
    pub kind: &'static str,
    /// The code of the first error, or `OK`.
    pub code: &'static str,
    /// The tenant in context.
    pub tenant: TenantId,
    /// From the request to its answer.
    pub took: Duration,
}

/// One call of a legacy system.
pub struct UpstreamCall {
    /// The system.
    pub system: &'static str,
    /// `read` or `write`.
    pub kind: &'static str,
    /// The class of the status, such as `2xx`, or the code of the failure.
    pub outcome: &'static str,
    /// The tenant asked for.
    pub tenant: TenantId,
    /// From the first byte sent to the end of the answer.
    pub took: Duration,
}

impl Metrics {
    /// No figure yet of a process that started at that moment. With `by_tenant` operations and
    /// calls are told for each tenant.
    pub fn new(by_tenant: bool, started: Timestamp) -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let mut metrics = Self {
            registry: Registry::default(),
            tenants: TenantLabels::new(by_tenant),
            http_requests: Family::default(),
            operations: Family::default(),
            operation_seconds: Family::new_with_constructor(seconds),
            upstream_calls: Family::default(),
            upstream_call_seconds: Family::new_with_constructor(seconds),
            tokens: Family::default(),
            gauges: Gauges::default(),
            scrape: Mutex::default(),
        };
        metrics.register();
        metrics.gauges.process_start.set(started.millis() as f64 / 1_000.0);
        metrics
    }

    fn register(&mut self) {
        self.gauges.register_process(&mut self.registry);
        let registry = self.registry.sub_registry_with_prefix("tenant_gateway");
        self.gauges.register(registry);
        registry.register(
            "http_requests",
            "HTTP requests of the public listener by method and status",
            self.http_requests.clone(),
        );
        registry.register(
            "graphql_operations",
            "GraphQL operations by transport, kind and the code of their first error",
            self.operations.clone(),
        );
        registry.register_with_unit(
            "graphql_operation_duration",
            "Time from a GraphQL request to its answer",
            Unit::Seconds,
            self.operation_seconds.clone(),
        );
        registry.register(
            "upstream_calls",
            "Calls of legacy systems by system, kind and outcome",
            self.upstream_calls.clone(),
        );
        registry.register_with_unit(
            "upstream_call_duration",
            "Time of a call of a legacy system, from the first byte sent",
            Unit::Seconds,
            self.upstream_call_seconds.clone(),
        );
        registry.register(
            "token_requests",
            "Requests of the token endpoint by outcome",
            self.tokens.clone(),
        );
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
    }

    /// Counts a request of the public listener. The method is one of a closed set.
    pub fn count_http_request(&self, method: &'static str, status: u16) {
        self.http_requests.get_or_create(&RequestLabels { method, status }).inc();
    }

    /// Counts an operation.
    pub fn count_operation(&self, operation: &Operation) {
        let Operation { transport, kind, code, tenant, took } = *operation;
        let tenant = self.tenants.label(tenant);
        self.operations.get_or_create(&OperationLabels { transport, kind, code, tenant }).inc();
        let labels = KindLabels { transport, kind };
        self.operation_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a call of a legacy system.
    pub fn count_upstream_call(&self, call: &UpstreamCall) {
        let UpstreamCall { system, kind, outcome, tenant, took } = *call;
        let tenant = self.tenants.label(tenant);
        self.upstream_calls.get_or_create(&CallLabels { system, kind, outcome, tenant }).inc();
        let labels = SystemLabels { system, kind };
        self.upstream_call_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a request of the token endpoint: `issued`, or the error code of RFC 6749.
    pub fn count_token_request(&self, outcome: &'static str) {
        self.tokens.get_or_create(&TokenLabels { outcome }).inc();
    }

    /// All figures as OpenMetrics text, with the gauges of `snapshot`.
    pub fn encode(&self, snapshot: &Snapshot) -> String {
        let _alone = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        self.gauges.set(snapshot);
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        encode(&mut text, &self.registry).ok();
        text
    }
}

impl Gauges {
    fn register(&self, registry: &mut Registry) {
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
        registry.register(
            "log_lines_dropped",
            "Log lines dropped because too many waited to be written",
            self.log_lines_dropped.clone(),
        );
        self.register_stored(registry);
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
    fn register_process(&self, registry: &mut Registry) {
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

    fn set(&self, snapshot: &Snapshot) {
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

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn started() -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }

    fn operation(tenant: TenantId) -> Operation {
        let took = Duration::from_millis(3);
        Operation { transport: "post", kind: "query", code: "OK", tenant, took }
    }

    fn tenant(number: u128) -> TenantId {
        uuid::Uuid::from_u128(number).to_string().parse().unwrap()
    }

    #[test]
    fn operations_are_counted_without_tenants_by_default() {
        let metrics = Metrics::new(false, started());
        metrics.count_operation(&operation(tenant(1)));
        metrics.count_operation(&operation(tenant(2)));
        let text = metrics.encode(&Snapshot::default());
        let line = "tenant_gateway_graphql_operations_total\
                    {transport=\"post\",kind=\"query\",code=\"OK\",tenant=\"\"} 2";
        assert!(text.contains(line), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn tenants_beyond_the_most_are_counted_together() {
        let metrics = Metrics::new(true, started());
        for number in 0..TENANTS_MAX as u128 + 5 {
            metrics.count_operation(&operation(tenant(number)));
        }
        let text = metrics.encode(&Snapshot::default());
        assert!(text.contains("code=\"OK\",tenant=\"other\"} 5"), "those beyond the most");
        let lines = text.lines().filter(|line| line.contains("graphql_operations_total{"));
        assert_eq!(lines.count(), TENANTS_MAX + 1);
    }

    #[test]
    fn states_that_are_gone_leave_no_gauge_behind() {
        let metrics = Metrics::new(false, started());
        let open = Snapshot { circuits: vec![("DEEP_SECURITY", "open", 1)], ..Snapshot::default() };
        assert!(metrics.encode(&open).contains("state=\"open\"} 1"));
        assert!(!metrics.encode(&Snapshot::default()).contains("state=\"open\""));
    }

    /// A dashboard or an alert would silently show nothing of a name that does not exist.
    #[test]
    fn every_figure_of_dashboard_and_alerts_exists() {
        let metrics = Metrics::new(false, started());
        metrics.count_http_request("POST", 200);
        metrics.count_operation(&operation(tenant(1)));
        metrics.count_token_request("issued");
        let took = Duration::from_millis(3);
        let system = "DEEP_SECURITY";
        let kind = "read";
        let outcome = "2xx";
        let call = UpstreamCall { system, kind, outcome, tenant: tenant(1), took };
        metrics.count_upstream_call(&call);
        let pool = Pool { name: "streams", limit: 1, used: 0, waiting: 0, refused: 0 };
        let text = metrics.encode(&Snapshot {
            budgets: vec![pool],
            circuits: vec![(system, "open", 1)],
            tasks: vec![("lost", 1)],
            tenant_keys: vec![("stray", 1)],
            ..Snapshot::default()
        });
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let families: BTreeSet<&str> = types.collect();
        let files = [
            include_str!("../../ops/prometheus/alerts.yaml"),
            include_str!("../../ops/grafana/tenant-gateway.json"),
        ];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = files.iter().flat_map(|file| file.split(|c| !is_name(c)));
        let ours =
            |word: &&str| word.starts_with("tenant_gateway_") || word.starts_with("process_");
        let names: BTreeSet<&str> = words.filter(ours).collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            let ends = ["_total", "_bucket", "_info"];
            let family = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(families.contains(family), "{name} is not among {families:?}");
        }
    }
}
