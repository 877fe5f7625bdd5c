//! Figures of this node for Prometheus: counters that the other rooms add to, and gauges that are
//! read when somebody asks.
//!
//! Every label value comes from a closed set. Tenant ids are a label only where the operator opts
//! in, and then of at most [`TENANTS_MAX`] tenants.

mod gauges;
mod labels;
mod process;
mod tenants;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::clock::Timestamp;
use crate::ids::TenantId;
use gauges::Gauges;
use labels::{
    AuditLabels, CallLabels, KindLabels, OperationLabels, RequestLabels, SystemLabels, TokenLabels,
};
use tenants::TenantLabels;

pub use gauges::{Pool, Snapshot};
pub use process::Process;
pub use tenants::TENANTS_MAX;

/// From one millisecond, the time of a cached answer, to the longest deadline of the limits.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The media type of OpenMetrics text, version 1.0.0.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;

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
    audit_verifications: Family<AuditLabels, Counter>,
    gauges: Gauges,
    /// Held while gauges are set and read, so that two scrapes do not mix.
    scrape: Mutex<()>,
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

/// The outcome of a verification of a chain of audit records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationOutcome {
    /// Every record is the one that was written.
    Intact,
    /// The records verified so far are, and a limit ended the verification.
    Partial,
    /// The chain is whole, but not the one that the caller expected.
    Differs,
    /// A record was changed, removed, inserted or moved.
    Broken,
}

impl VerificationOutcome {
    const ALL: [Self; 4] = [Self::Intact, Self::Partial, Self::Differs, Self::Broken];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Partial => "partial",
            Self::Differs => "differs",
            Self::Broken => "broken",
        }
    }
}

impl Metrics {
    /// The figures of a process that started at that moment, none counted yet. With `by_tenant`,
    /// operations and calls have a label for the tenant.
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
            audit_verifications: Family::default(),
            gauges: Gauges::default(),
            scrape: Mutex::default(),
        };
        metrics.register();
        metrics.gauges.set_started(started);
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
        registry.register(
            "audit_verifications",
            "Verifications of audit chains by outcome: intact, partial, differs, broken",
            self.audit_verifications.clone(),
        );
        // The first broken chain must show as an increase from zero.
        for outcome in VerificationOutcome::ALL {
            drop(
                self.audit_verifications.get_or_create(&AuditLabels { outcome: outcome.as_str() }),
            );
        }
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

    /// Counts a verification of a chain of audit records.
    pub fn count_audit_verification(&self, outcome: VerificationOutcome) {
        let labels = AuditLabels { outcome: outcome.as_str() };
        self.audit_verifications.get_or_create(&labels).inc();
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

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
