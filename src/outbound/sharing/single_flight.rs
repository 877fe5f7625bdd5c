//! One computation for all callers that want the same value at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::task::JoinError;

use crate::telemetry::in_current_trace;

/// A key that contains a tenant and an identity, so that no value of one tenant reaches another.
/// Implement it only for such keys.
pub trait ScopedKey: Clone + Eq + Hash + Send + 'static {}

/// A computation that several callers await.
pub type Flight<V> = Shared<BoxFuture<'static, V>>;

/// A caller's part in a flight.
pub struct Joined<V> {
    /// The computation.
    pub flight: Flight<V>,
    /// Whether this caller started it.
    pub is_first: bool,
}

/// Deduplicates concurrent computations: callers with the same key share one.
///
/// Our own: caches with deduplication (`moka`, `quick_cache`) keep the value, and run the
/// computation inside the caller that came first, so that it fails for all when that caller leaves.
pub struct SingleFlight<K: ScopedKey, V>(Arc<Mutex<State<K, V>>>);

struct State<K, V> {
    entries: HashMap<K, Entry<V>>,
    started: u64,
}

struct Entry<V> {
    number: u64,
    flight: WeakShared<BoxFuture<'static, V>>,
    /// Keeps a spawned computation going after all its callers have left.
    _detached: Option<Flight<V>>,
}

impl<K: ScopedKey, V: Clone + Send + Sync + 'static> SingleFlight<K, V> {
    /// Joins the flight of this key, or starts it. Its callers drive it; when the last one leaves,
    /// it is cancelled.
    pub fn join_or_start(
        &self,
        key: K,
        start: impl FnOnce() -> BoxFuture<'static, V>,
    ) -> Joined<V> {
        self.join(key, |guard| (guard.after(start()).boxed().shared(), false))
    }

    /// Joins the flight of this key, or starts it on a task of its own, which continues when all
    /// callers have left. `lost` makes the value of a computation that panicked.
    pub fn join_or_spawn(
        &self,
        key: K,
        start: impl FnOnce() -> BoxFuture<'static, V>,
        lost: fn(JoinError) -> V,
    ) -> Joined<V> {
        self.join(key, |guard| {
            let task = tokio::spawn(in_current_trace(guard.after(start())));
            (task.map(move |ended| ended.unwrap_or_else(lost)).boxed().shared(), true)
        })
    }

    fn join(
        &self,
        key: K,
        begin: impl FnOnce(FlightGuard<K, V>) -> (Flight<V>, bool),
    ) -> Joined<V> {
        let mut state = self.state();
        let running = state.entries.get(&key).and_then(|entry| entry.flight.upgrade());
        if let Some(flight) = running {
            return Joined { flight, is_first: false };
        }
        state.started += 1;
        let number = state.started;
        let guard = FlightGuard { flights: Self(self.0.clone()), key: key.clone(), number };
        let (flight, is_detached) = begin(guard);
        if let Some(weak) = flight.downgrade() {
            let detached = is_detached.then(|| flight.clone());
            state.entries.insert(key, Entry { number, flight: weak, _detached: detached });
        }
        Joined { flight, is_first: true }
    }
}

impl<K: ScopedKey, V> SingleFlight<K, V> {
    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: ScopedKey, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { entries: HashMap::new(), started: 0 })))
    }
}

/// Removes a flight from the map when it ends, is cancelled or panics.
struct FlightGuard<K: ScopedKey, V> {
    flights: SingleFlight<K, V>,
    key: K,
    number: u64,
}

impl<K: ScopedKey, V> FlightGuard<K, V> {
    async fn after(self, computation: BoxFuture<'static, V>) -> V {
        let value = computation.await;
        drop(self);
        value
    }
}

impl<K: ScopedKey, V> Drop for FlightGuard<K, V> {
    fn drop(&mut self) {
        let mut state = self.flights.state();
        // Another flight of the same key may have started meanwhile.
        let is_own = state.entries.get(&self.key).is_some_and(|entry| entry.number == self.number);
        let removed = is_own.then(|| state.entries.remove(&self.key)).flatten();
        drop(state);
        // Dropped after the lock is released: the last handle drops the computation.
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    impl ScopedKey for u8 {}

    fn counting(runs: &Arc<AtomicUsize>) -> BoxFuture<'static, usize> {
        let runs = runs.clone();
        async move {
            tokio::task::yield_now().await;
            runs.fetch_add(1, Ordering::SeqCst)
        }
        .boxed()
    }

    #[tokio::test]
    async fn callers_with_one_key_share_one_computation() {
        let flights = SingleFlight::default();
        let runs = Arc::new(AtomicUsize::new(0));
        let one = flights.join_or_start(1, || counting(&runs));
        let other = flights.join_or_start(1, || counting(&runs));
        let another_key = flights.join_or_start(2, || counting(&runs));
        assert!(one.is_first && !other.is_first && another_key.is_first);
        assert_eq!(tokio::join!(one.flight, other.flight), (0, 0));
        assert_eq!(another_key.flight.await, 1);
        assert_eq!(flights.join_or_start(1, || counting(&runs)).flight.await, 2, "it has ended");
        assert!(flights.state().entries.is_empty());
    }

    #[tokio::test]
    async fn flight_without_callers_is_cancelled() {
        let flights = SingleFlight::<u8, usize>::default();
        drop(flights.join_or_start(1, || std::future::pending().boxed()));
        assert!(flights.state().entries.is_empty());
        assert!(flights.join_or_start(1, || async { 7 }.boxed()).is_first);
    }

    #[tokio::test]
    async fn spawned_flight_continues_without_callers_and_is_still_joined() {
        let flights = SingleFlight::<u8, usize>::default();
        let (send, receive) = oneshot::channel::<usize>();
        let start = || async { receive.await.unwrap() }.boxed();
        drop(flights.join_or_spawn(1, start, |_| 0));
        let joined = flights.join_or_spawn(1, || unreachable!(), |_| 0);
        assert!(!joined.is_first);
        send.send(7).unwrap();
        assert_eq!(joined.flight.await, 7);
        assert!(flights.state().entries.is_empty());
    }

    #[tokio::test]
    async fn spawned_flight_that_panics_gives_every_caller_a_value() {
        let flights = SingleFlight::<u8, &str>::default();
        let start = || async { panic!("this panic is a part of the test") }.boxed();
        let one = flights.join_or_spawn(1, start, |_| "lost");
        let other = flights.join_or_spawn(1, || unreachable!(), |_| "");
        assert_eq!(tokio::join!(one.flight, other.flight), ("lost", "lost"));
        assert!(flights.state().entries.is_empty());
    }
}
