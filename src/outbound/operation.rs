//! What one operation of a caller may spend at the legacy systems.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::budget::Budget;
use super::once::Once;
use super::route::RouteKey;
use super::tenant_slots::{TenantSlot, TenantSlots};
use super::trace::Trace;
use crate::config::LimitsConfig;
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::{TenantId, UpstreamId};

/// The most request ids of upstreams that are kept, and the longest of them in bytes.
const REQUEST_IDS: usize = 100;
const REQUEST_ID_LENGTH: usize = 128;

/// The most that an operation may spend.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Calls for one tenant.
    pub calls_a_tenant: u64,
    /// Calls in all.
    pub calls: u64,
    /// Tenants whose legacy systems are asked at the same moment.
    pub tenants_at_once: usize,
    /// The time of one turn for one tenant.
    pub tenant_deadline: Duration,
}

impl From<&LimitsConfig> for Allowance {
    fn from(limits: &LimitsConfig) -> Self {
        Self {
            calls_a_tenant: limits.upstream_calls_per_tenant,
            calls: limits.upstream_calls,
            tenants_at_once: limits.tenants_at_once,
            tenant_deadline: limits.tenant_deadline,
        }
    }
}

/// One operation of a caller: a GraphQL query or mutation, one event of a subscription, or a
/// background job. What is spent is counted here; calls of one operation share what they read more
/// than once. Cloning gives the same operation.
#[derive(Clone)]
pub struct Operation(Arc<State>);

struct State {
    request_id: String,
    caller: Uuid,
    trace: OnceLock<Trace>,
    deadline: Instant,
    budget: Arc<Budget>,
    slots: TenantSlots,
    once: Once,
    held_answers: Arc<AtomicUsize>,
    upstream_request_ids: Mutex<BTreeSet<String>>,
}

impl Operation {
    /// An operation that has until `deadline`; its request id and trace context (W3C `traceparent`)
    /// go upstream. A trace context that is not well-formed does not: the operation begins a trace
    /// of its own.
    pub fn new(
        request_id: String,
        traceparent: Option<String>,
        allowance: Allowance,
        deadline: Instant,
    ) -> Self {
        Self::of_caller(Uuid::nil(), request_id, traceparent.as_deref(), allowance, deadline)
    }

    /// The same of a caller, by an id that means nothing else here: callers who wait for one
    /// upstream are served in turn.
    pub fn of_caller(
        caller: Uuid,
        request_id: String,
        traceparent: Option<&str>,
        allowance: Allowance,
        deadline: Instant,
    ) -> Self {
        let trace = traceparent.and_then(Trace::parse).map_or_else(OnceLock::new, OnceLock::from);
        Self(Arc::new(State {
            request_id,
            caller,
            trace,
            deadline,
            budget: Budget::new(allowance.calls_a_tenant, allowance.calls),
            slots: TenantSlots::new(allowance.tenants_at_once, allowance.tenant_deadline, deadline),
            once: Once::default(),
            held_answers: Arc::default(),
            upstream_request_ids: Mutex::default(),
        }))
    }

    /// A job of the gateway's own, which has until `deadline` and may make as many calls as it
    /// needs. All such jobs count as one caller.
    pub fn background(request_id: String, deadline: Instant) -> Self {
        let allowance = Allowance {
            calls_a_tenant: u64::MAX,
            calls: u64::MAX,
            tenants_at_once: usize::MAX,
            tenant_deadline: deadline.saturating_duration_since(Instant::now()),
        };
        Self::new(request_id, None, allowance, deadline)
    }

    /// The id that goes upstream as `X-Request-Id`.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// How many calls were sent, repeated ones counted each; those that wait to be sent are counted
    /// already.
    pub fn calls(&self) -> u64 {
        self.0.budget.calls()
    }

    /// Of how many tenants.
    pub fn tenants(&self) -> u64 {
        self.0.budget.tenants()
    }

    /// The request ids that upstreams answered with, for the audit log: at most 100.
    pub fn upstream_request_ids(&self) -> Vec<String> {
        let ids = self.0.upstream_request_ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().cloned().collect()
    }

    /// Waits until this tenant may be asked: so many tenants at once and no more, first come first
    /// served. Several turns of one tenant count as one tenant.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED` if the operation's time is over before that.
    pub async fn tenant_slot(&self, tenant: TenantId) -> Result<TenantSlot> {
        self.0.slots.acquire(tenant).await
    }

    /// Asks for an object once an operation, however many fields want it: the first asks, the
    /// others wait for what it gets, an error included. The key is the route and a text that names
    /// the object among all that are asked for as a `T`. A write on a route of the same tenant and
    /// installation makes it ask anew.
    ///
    /// # Errors
    /// What `ask` fails with.
    pub async fn once<T, F>(
        &self,
        key: (RouteKey, String),
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        self.0.once.ask(key, ask).await
    }

    /// How many bytes of answers it holds.
    pub(super) fn held_answers(&self) -> &Arc<AtomicUsize> {
        &self.0.held_answers
    }

    /// Asks for something large together with all who want the same at the same time, and does not
    /// keep it: it lives for as long as one of them holds it. The key is as in [`Operation::once`].
    ///
    /// # Errors
    /// What `ask` fails with.
    pub async fn shared<T, F>(
        &self,
        key: (RouteKey, String),
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        self.0.once.share(key, ask).await
    }

    /// Whose it is, for serving callers in turn.
    pub(super) fn caller(&self) -> Uuid {
        self.0.caller
    }

    pub(super) fn trace(&self, entropy: &dyn Entropy) -> &Trace {
        self.0.trace.get_or_init(|| Trace::begin(entropy))
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.0.budget
    }

    /// Until when a call for this tenant may wait, and a read may take.
    pub(super) fn deadline(&self, tenant: TenantId) -> Instant {
        self.0.slots.deadline(tenant).min(self.0.deadline)
    }

    pub(super) fn forget(&self, tenant: TenantId, upstream: UpstreamId) {
        self.0.once.forget(tenant, upstream);
    }

    pub(super) fn note_request_id(&self, id: Option<&str>) {
        // Some systems send back the id that they were given.
        let Some(id) = id.filter(|id| id.len() <= REQUEST_ID_LENGTH && *id != self.0.request_id)
        else {
            return;
        };
        let mut ids = self.0.upstream_request_ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() < REQUEST_IDS {
            ids.insert(id.to_owned());
        }
    }
}
