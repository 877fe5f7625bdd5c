//! The state of every route and the rate limit of every credential, in bounded memory.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter};

use super::breaker::{Breaker, CircuitName};
use super::concurrency::ConcurrencyLimit;
use super::rate::RateLimiter;
use super::retry_budget::RetryBudget;
use crate::ids::{TenantId, UpstreamId};
use crate::outbound::route::{Circuit, Identity, Status, UpstreamRoute};
use crate::outbound::settings::Settings;

/// The number of routes, and of credentials, whose state is kept. State in use is never evicted.
const CAPACITY: usize = 10_000;

/// The state of a tenant's route to an installation.
pub(in crate::outbound) struct RouteState {
    pub breaker: Arc<Breaker>,
    pub concurrency: Arc<ConcurrencyLimit>,
    pub retries: RetryBudget,
    status: Mutex<Status>,
    /// Changes with every write.
    generation: AtomicU64,
}

/// The state of all routes and credentials.
pub(in crate::outbound) struct RouteRegistry {
    settings: Settings,
    states: Bounded<(TenantId, UpstreamId), Arc<RouteState>>,
    limiters: Bounded<(UpstreamId, Identity), Arc<RateLimiter>>,
    /// The source of generations. No number is used twice: a route whose state was evicted and
    /// created again must not match answers cached under its old generation.
    generations: AtomicU64,
}

type Bounded<K, V> = Cache<K, V, UnitWeighter, DefaultHashBuilder, KeepUsed>;

impl RouteRegistry {
    pub(in crate::outbound) fn new(settings: Settings) -> Self {
        Self { settings, states: bounded(), limiters: bounded(), generations: AtomicU64::new(0) }
    }

    /// The state of a route, which all its identities share.
    pub(in crate::outbound) fn state(&self, route: &UpstreamRoute) -> Arc<RouteState> {
        let key = (route.tenant, route.endpoint.upstream);
        let make = || Ok::<_, Infallible>(Arc::new(self.new_state(route)));
        let state = self.states.get_or_insert_with(&key, make);
        state.unwrap_or_else(|never| match never {})
    }

    /// The rate limiter of a route's credential, which all tenants that use it share.
    pub(in crate::outbound) fn limiter(&self, route: &UpstreamRoute) -> Arc<RateLimiter> {
        let key = (route.endpoint.upstream, route.identity.clone());
        let limiter = || RateLimiter::new(self.settings.calls_per_minute, self.settings.queue);
        let limiter = self.limiters.get_or_insert_with(&key, || Ok::<_, Infallible>(limiter()));
        limiter.unwrap_or_else(|never| match never {})
    }

    /// The health of a route; the default if it was never used.
    pub(in crate::outbound) fn status(&self, tenant: TenantId, upstream: UpstreamId) -> Status {
        self.states.get(&(tenant, upstream)).map_or_else(Status::default, |state| state.status())
    }

    /// Invalidates cached answers and shared reads of the tenant at this installation, because its
    /// data changed there.
    pub(in crate::outbound) fn invalidate(&self, tenant: TenantId, upstream: UpstreamId) {
        if let Some(state) = self.states.get(&(tenant, upstream)) {
            state.generation.store(self.next_generation(), Ordering::SeqCst);
        }
    }

    /// The number of circuits of each system in each state.
    pub(in crate::outbound) fn circuits(&self) -> Vec<(&'static str, Circuit, u64)> {
        let mut counted: Vec<(&'static str, Circuit, u64)> = Vec::new();
        for (_, state) in self.states.iter() {
            let system = state.breaker.system();
            let circuit = state.breaker.circuit();
            let known = counted.iter_mut().find(|known| (known.0, known.1) == (system, circuit));
            match known {
                Some((_, _, number)) => *number += 1,
                None => counted.push((system, circuit, 1)),
            }
        }
        counted
    }

    fn new_state(&self, route: &UpstreamRoute) -> RouteState {
        let Settings { concurrency, queue, breaker, .. } = self.settings;
        let name = CircuitName {
            tenant: route.tenant,
            upstream: route.endpoint.upstream,
            system: route.endpoint.system,
        };
        RouteState {
            breaker: Breaker::new(name, breaker, self.settings.abandoned_counts_after()),
            concurrency: ConcurrencyLimit::new(concurrency, queue),
            retries: RetryBudget::new(),
            status: Mutex::default(),
            generation: AtomicU64::new(self.next_generation()),
        }
    }

    fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::SeqCst)
    }
}

impl RouteState {
    /// The generation of the tenant's data at the installation.
    pub(in crate::outbound) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Updates the health of the route.
    pub(in crate::outbound) fn note(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn status(&self) -> Status {
        let status = *self.status.lock().unwrap_or_else(PoisonError::into_inner);
        Status { circuit: self.breaker.circuit(), ..status }
    }
}

/// State that must not be evicted while it is in use.
trait InUse {
    fn is_in_use(&self) -> bool;
}

impl InUse for Arc<RouteState> {
    fn is_in_use(&self) -> bool {
        Self::strong_count(self) > 1
    }
}

impl InUse for Arc<RateLimiter> {
    fn is_in_use(&self) -> bool {
        Self::strong_count(self) > 1 || !self.is_idle()
    }
}

#[derive(Clone)]
struct KeepUsed;

impl<K, V: InUse> Lifecycle<K, V> for KeepUsed {
    type RequestState = ();

    fn is_pinned(&self, _: &K, value: &V) -> bool {
        value.is_in_use()
    }
}

fn bounded<K: Eq + Hash, V: Clone + InUse>() -> Bounded<K, V> {
    let hasher = DefaultHashBuilder::default();
    Cache::with(CAPACITY, CAPACITY as u64, UnitWeighter, hasher, KeepUsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::{AddressPolicy, BaseUrl, Endpoint};

    fn route(tenant: u128) -> UpstreamRoute {
        let base_url =
            BaseUrl::parse("", "https://manager.example", AddressPolicy { allow_private: false })
                .unwrap();
        let upstream = UpstreamId(uuid::Uuid::nil());
        let endpoint = Endpoint {
            upstream,
            owner: TenantId(uuid::Uuid::nil()),
            system: "TEST",
            revision: 1,
            base_url,
            ca_certificate: None,
        };
        UpstreamRoute {
            tenant: TenantId(uuid::Uuid::from_u128(tenant)),
            endpoint: endpoint.into(),
            identity: Identity::new("own"),
        }
    }

    #[test]
    fn states_are_bounded_and_those_in_use_stay() {
        let registry = RouteRegistry::new(Settings::default());
        let used = registry.state(&route(0));
        for tenant in 1..30_000 {
            registry.state(&route(tenant));
        }
        assert!(registry.states.len() <= CAPACITY + 100, "{}", registry.states.len());
        assert!(Arc::ptr_eq(&used, &registry.state(&route(0))));
    }

    #[test]
    fn evicted_route_gets_another_generation() {
        let registry = RouteRegistry::new(Settings::default());
        let before = registry.state(&route(0)).generation();
        registry.states.clear();
        assert_ne!(registry.state(&route(0)).generation(), before);
        let before = registry.state(&route(0)).generation();
        registry.invalidate(route(0).tenant, route(0).endpoint.upstream);
        assert_ne!(registry.state(&route(0)).generation(), before);
    }
}
