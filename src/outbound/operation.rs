//! One operation of a caller and the calls, time and memory that it may use upstream.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::limits::{CallLimit, TenantSlot, TenantSlots};
use super::route::RouteKey;
use super::sharing::Once;
use crate::config::LimitsConfig;
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::{TenantId, UpstreamId};
use crate::telemetry::{ParentSpan, TraceContext};

/// The number of upstream request ids that are kept, and the maximum length of one in bytes.
const MAX_REQUEST_IDS: usize = 100;
const MAX_REQUEST_ID_LENGTH: usize = 128;

/// The limits of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Calls on behalf of one tenant.
    pub calls_per_tenant: u64,
    /// Calls in total.
    pub calls: u64,
    /// The maximum number of tenants whose legacy systems are called at the same time.
    pub concurrent_tenants: usize,
    /// The time limit of a tenant slot.
    pub tenant_deadline: Duration,
}

impl From<&LimitsConfig> for Allowance {
    fn from(limits: &LimitsConfig) -> Self {
        Self {
            calls_per_tenant: limits.upstream_calls_per_tenant,
            calls: limits.upstream_calls,
            concurrent_tenants: limits.tenants_at_once,
            tenant_deadline: limits.tenant_deadline,
        }
    }
}

/// One operation: a GraphQL query or mutation, one event of a subscription, or a background job. It
/// counts its calls and shares objects that are read more than once. Clones are the same operation.
#[derive(Clone)]
pub struct Operation(Arc<State>);

struct State {
    request_id: String,
    caller: Uuid,
    span: Option<ParentSpan>,
    trace: OnceLock<TraceContext>,
    deadline: Instant,
    call_limit: Arc<CallLimit>,
    slots: TenantSlots,
    once: Once,
    held_answers: Arc<AtomicUsize>,
    upstream_request_ids: Mutex<BTreeSet<String>>,
}

impl Operation {
    /// Creates an operation with this deadline. Its request id and trace context (W3C
    /// `traceparent`) are sent upstream. A malformed trace context is replaced by a new trace. Where
    /// traces are recorded, calls belong to the span that is current now instead.
    pub fn new(
        request_id: String,
        traceparent: Option<String>,
        allowance: Allowance,
        deadline: Instant,
    ) -> Self {
        Self::of_caller(Uuid::nil(), request_id, traceparent.as_deref(), allowance, deadline)
    }

    /// The same for a known caller: callers that wait for one upstream are served in turn. The id
    /// has no other meaning here.
    pub fn of_caller(
        caller: Uuid,
        request_id: String,
        traceparent: Option<&str>,
        allowance: Allowance,
        deadline: Instant,
    ) -> Self {
        let span = ParentSpan::current();
        let trace = match &span {
            Some(span) => span.context(),
            None => traceparent.and_then(TraceContext::parse),
        };
        let trace = trace.map_or_else(OnceLock::new, OnceLock::from);
        Self(Arc::new(State {
            request_id,
            caller,
            span,
            trace,
            deadline,
            call_limit: CallLimit::new(allowance.calls_per_tenant, allowance.calls),
            slots: TenantSlots::new(
                allowance.concurrent_tenants,
                allowance.tenant_deadline,
                deadline,
            ),
            once: Once::default(),
            held_answers: Arc::default(),
            upstream_request_ids: Mutex::default(),
        }))
    }

    /// Creates an operation for a background job, with this deadline and without a limit of calls.
    /// All background jobs count as one caller.
    pub fn background(request_id: String, deadline: Instant) -> Self {
        let allowance = Allowance {
            calls_per_tenant: u64::MAX,
            calls: u64::MAX,
            concurrent_tenants: usize::MAX,
            tenant_deadline: deadline.saturating_duration_since(Instant::now()),
        };
        Self::new(request_id, None, allowance, deadline)
    }

    /// The id that is sent upstream as `X-Request-Id`.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The number of calls sent or waiting to be sent; each retry counts.
    pub fn calls(&self) -> u64 {
        self.0.call_limit.calls()
    }

    /// The number of tenants on whose behalf calls were made.
    pub fn tenants(&self) -> u64 {
        self.0.call_limit.tenants()
    }

    /// The request ids in the upstreams' answers, for the audit log: at most 100.
    pub fn upstream_request_ids(&self) -> Vec<String> {
        let ids = self.0.upstream_request_ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().cloned().collect()
    }

    /// Waits for a slot to call this tenant's legacy systems, first come, first served. Concurrent
    /// slots of one tenant count once.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED` if the operation's deadline passes first.
    pub async fn tenant_slot(&self, tenant: TenantId) -> Result<TenantSlot> {
        self.0.slots.acquire(tenant).await
    }

    /// Reads an object once per operation, however many fields need it: the first caller reads it,
    /// the others get the same result, an error included. The key is the route and a name that is
    /// unique among the objects read as a `T`. After a write to the same tenant and installation it
    /// is read again.
    ///
    /// # Errors
    /// The error of `read`.
    pub async fn once<T, F>(
        &self,
        key: (RouteKey, String),
        read: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        self.0.once.get(key, read).await
    }

    /// The number of bytes that the operation's answers hold.
    pub(super) fn held_answers(&self) -> &Arc<AtomicUsize> {
        &self.0.held_answers
    }

    /// Reads a large object once for all fields that need it at the same time, and does not keep
    /// it: it lives as long as one of them holds it. The key is that of [`Operation::once`].
    ///
    /// # Errors
    /// The error of `read`.
    pub async fn shared<T, F>(
        &self,
        key: (RouteKey, String),
        read: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        self.0.once.share(key, read).await
    }

    /// The caller, for serving callers in turn.
    pub(super) fn caller(&self) -> Uuid {
        self.0.caller
    }

    /// The span that its calls belong to.
    pub(super) fn span(&self) -> Option<&ParentSpan> {
        self.0.span.as_ref()
    }

    pub(super) fn trace(&self, entropy: &dyn Entropy) -> TraceContext {
        *self.0.trace.get_or_init(|| TraceContext::begin(entropy))
    }

    pub(super) fn call_limit(&self) -> &Arc<CallLimit> {
        &self.0.call_limit
    }

    /// The deadline of calls for this tenant: for waiting and, of a read, for the answer.
    pub(super) fn deadline(&self, tenant: TenantId) -> Instant {
        self.0.slots.deadline(tenant).min(self.0.deadline)
    }

    pub(super) fn forget(&self, tenant: TenantId, upstream: UpstreamId) {
        self.0.once.forget(tenant, upstream);
    }

    pub(super) fn note_request_id(&self, id: Option<&str>) {
        // Some systems return the id that the gateway sent.
        let id = id.filter(|id| id.len() <= MAX_REQUEST_ID_LENGTH && *id != self.0.request_id);
        let Some(id) = id else { return };
        let mut ids = self.0.upstream_request_ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() < MAX_REQUEST_IDS {
            ids.insert(id.to_owned());
        }
    }
}
