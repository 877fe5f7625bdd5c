//! What is known of every tenant's way to every installation, and of every credential: as much as
//! fits.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter};

use super::breaker::{Breaker, CircuitName};
use super::concurrency::Gate;
use super::rate::Limiter;
use super::retry::RetryBudget;
use super::route::{Identity, UpstreamRoute};
use super::settings::Settings;
use super::status::{Circuit, Status};
use crate::ids::{TenantId, UpstreamId};

/// The most tenants' ways, and credentials, that are known at once. What is in use is not
/// forgotten.
const KNOWN: usize = 10_000;

/// A tenant's way to an installation.
pub(super) struct RouteState {
    pub breaker: Arc<Breaker>,
    pub gate: Arc<Gate>,
    pub retries: RetryBudget,
    health: Mutex<Status>,
    /// Another number after every write.
    generation: AtomicU64,
}

/// All ways and credentials.
pub(super) struct RouteRegistry {
    settings: Settings,
    states: Known<(TenantId, UpstreamId), Arc<RouteState>>,
    limiters: Known<(UpstreamId, Identity), Arc<Limiter>>,
    /// No number is given twice, so that a way that was forgotten and found again is not taken for
    /// what it was.
    generations: AtomicU64,
}

type Known<K, V> = Cache<K, V, UnitWeighter, DefaultHashBuilder, KeepUsed>;

impl RouteRegistry {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, states: known(), limiters: known(), generations: AtomicU64::new(0) }
    }

    /// The way of a route, which all identities share.
    pub(super) fn state(&self, route: &UpstreamRoute) -> Arc<RouteState> {
        let key = (route.tenant, route.endpoint.upstream);
        let made = self
            .states
            .get_or_insert_with(&key, || Ok::<_, Infallible>(Arc::new(self.new_state(route))));
        made.unwrap_or_else(|never| match never {})
    }

    /// The limiter of a route's credential, which all tenants who use it share.
    pub(super) fn limiter(&self, route: &UpstreamRoute) -> Arc<Limiter> {
        let key = (route.endpoint.upstream, route.identity.clone());
        let limiter = || Limiter::new(self.settings.calls_per_minute, self.settings.queue);
        let made = self.limiters.get_or_insert_with(&key, || Ok::<_, Infallible>(limiter()));
        made.unwrap_or_else(|never| match never {})
    }

    /// How a way is doing; nothing is known of one that was never taken.
    pub(super) fn status(&self, tenant: TenantId, upstream: UpstreamId) -> Status {
        self.states.get(&(tenant, upstream)).map_or_else(Status::default, |state| state.status())
    }

    /// The tenant's data changed there: what was asked before is not asked for any more.
    pub(super) fn forget(&self, tenant: TenantId, upstream: UpstreamId) {
        if let Some(state) = self.states.get(&(tenant, upstream)) {
            state.generation.store(self.next_generation(), Ordering::SeqCst);
        }
    }

    /// How many circuits of a system are in a state.
    pub(super) fn circuits(&self) -> Vec<(&'static str, Circuit, u64)> {
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
            breaker: Breaker::new(name, breaker, self.settings.patience()),
            gate: Gate::new(concurrency, queue),
            retries: RetryBudget::new(),
            health: Mutex::default(),
            generation: AtomicU64::new(self.next_generation()),
        }
    }

    fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::SeqCst)
    }
}

impl RouteState {
    /// Which state of the tenant's data it is.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Notes what came of a call.
    pub(super) fn note(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn status(&self) -> Status {
        let health = *self.health.lock().unwrap_or_else(PoisonError::into_inner);
        Status { circuit: self.breaker.circuit(), ..health }
    }
}

/// What stays known while it is in use.
trait InUse {
    fn is_in_use(&self) -> bool;
}

impl InUse for Arc<RouteState> {
    fn is_in_use(&self) -> bool {
        Self::strong_count(self) > 1
    }
}

impl InUse for Arc<Limiter> {
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

fn known<K: Eq + Hash, V: Clone + InUse>() -> Known<K, V> {
    Cache::with(KNOWN, KNOWN as u64, UnitWeighter, DefaultHashBuilder::default(), KeepUsed)
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
            identity: Identity("own".into()),
        }
    }

    #[test]
    fn what_is_known_has_an_end_and_what_is_in_use_stays() {
        let routes = RouteRegistry::new(Settings::default());
        let used = routes.state(&route(0));
        for tenant in 1..30_000 {
            routes.state(&route(tenant));
        }
        assert!(routes.states.len() <= KNOWN + 100, "{}", routes.states.len());
        assert!(Arc::ptr_eq(&used, &routes.state(&route(0))));
    }

    #[test]
    fn a_way_found_again_is_not_taken_for_what_it_was() {
        let routes = RouteRegistry::new(Settings::default());
        let before = routes.state(&route(0)).generation();
        routes.states.clear();
        assert_ne!(routes.state(&route(0)).generation(), before);
        let before = routes.state(&route(0)).generation();
        routes.forget(route(0).tenant, route(0).endpoint.upstream);
        assert_ne!(routes.state(&route(0)).generation(), before);
    }
}
