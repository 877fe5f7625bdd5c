//! Identical reads in flight share one call (feature F12).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::call::{Answer, Call};
use super::failure::Failure;
use super::route::UpstreamRoute;

/// All that makes two reads the same, as a digest: the route with its tenant and identity, the state
/// of the tenant's data, and the call whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    /// The key of a call. `generation` changes with every write, so that what was asked before one
    /// does not answer what is asked after it.
    pub(super) fn new(route: &UpstreamRoute, generation: u64, call: &Call) -> Self {
        let mut whole = Vec::with_capacity(1024);
        // Each part with its length before it: no two lists of parts are the same bytes.
        let mut part = |bytes: &[u8]| {
            whole.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            whole.extend_from_slice(bytes);
        };
        part(route.tenant.0.as_bytes());
        part(route.endpoint.upstream.0.as_bytes());
        part(&route.endpoint.revision.to_le_bytes());
        part(route.identity.0.as_bytes());
        part(&generation.to_le_bytes());
        part(call.method.as_bytes());
        part(&call.answer_limit.to_le_bytes());
        part(&call.path.len().to_le_bytes());
        call.path.iter().for_each(|segment| part(segment.as_bytes()));
        part(&call.query.len().to_le_bytes());
        for (name, value) in &call.query {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        part(&call.headers.len().to_le_bytes());
        for (name, value) in &call.headers {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        part(call.body.as_deref().unwrap_or_default());
        Self(digest(&SHA256, &whole).as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// A key of no call, by its number.
    #[cfg(test)]
    pub(super) fn of(number: u16) -> Self {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&number.to_le_bytes());
        Self(key)
    }
}

type Outcome = Result<Answer, Failure>;
type Flying = BoxFuture<'static, Outcome>;

/// The reads in flight.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Mutex<InFlight>>);

#[derive(Default)]
struct InFlight {
    flights: HashMap<Key, (u64, WeakShared<Flying>)>,
    number: u64,
}

/// A place in a flight. Whoever waits moves it on; when nobody waits any more, it ends.
pub(super) struct Seat {
    pub flight: Shared<Flying>,
    /// Whether it began with this one.
    pub is_first: bool,
}

impl Flights {
    /// Takes a seat in the flight of that key, which begins now if there is none.
    pub(super) fn board(&self, key: Key, begin: impl FnOnce() -> Flying) -> Seat {
        let mut state = self.state();
        if let Some(flight) = state.flights.get(&key).and_then(|(_, flight)| flight.upgrade()) {
            return Seat { flight, is_first: false };
        }
        state.number += 1;
        let number = state.number;
        let landing = Landing { flights: self.clone(), key, number };
        let flight = fly(begin(), landing).boxed().shared();
        let weak = flight.downgrade().expect("a flight that has not begun has not ended");
        state.flights.insert(key, (number, weak));
        Seat { flight, is_first: true }
    }

    fn state(&self) -> MutexGuard<'_, InFlight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fly(flying: Flying, landing: Landing) -> Outcome {
    let outcome = flying.await;
    drop(landing);
    outcome
}

/// Takes a flight off the list when it ends, or is given up.
struct Landing {
    flights: Flights,
    key: Key,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut state = self.flights.state();
        // By then there may be another of the same key.
        if state.flights.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            state.flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::HashSet;

    use super::super::call::Kind;
    use super::super::{AddressPolicy, BaseUrl, Endpoint, Identity};
    use super::*;
    use crate::ids::{TenantId, UpstreamId};

    fn key(
        tenant: u128,
        upstream: u128,
        revision: i64,
        identity: &str,
        path: &[&'static str],
    ) -> Key {
        let base_url =
            BaseUrl::parse("", "https://manager.example", AddressPolicy { allow_private: false })
                .unwrap();
        let upstream = UpstreamId(uuid::Uuid::from_u128(upstream));
        let endpoint = Endpoint {
            upstream,
            owner: TenantId(uuid::Uuid::nil()),
            system: "TEST",
            revision,
            base_url,
            ca_certificate: None,
        };
        let tenant = TenantId(uuid::Uuid::from_u128(tenant));
        let route = UpstreamRoute {
            tenant,
            endpoint: Arc::new(endpoint),
            identity: Identity(identity.to_owned()),
        };
        let call = Call {
            method: "GET",
            path: path.iter().map(|segment| Cow::Borrowed(*segment)).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            kind: Kind::Read,
            answer_limit: 1,
            remember: None,
        };
        Key::new(&route, 1, &call)
    }

    #[test]
    fn each_part_of_a_line_makes_another_key() {
        let keys = [
            key(1, 1, 1, "own", &["a", "b"]),
            key(2, 1, 1, "own", &["a", "b"]),
            key(1, 2, 1, "own", &["a", "b"]),
            key(1, 1, 2, "own", &["a", "b"]),
            key(1, 1, 1, "other", &["a", "b"]),
            key(1, 1, 1, "own", &["ab"]),
            key(1, 1, 1, "own", &["a", "b", ""]),
        ];
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        assert!(key(1, 1, 1, "own", &["a"]) == key(1, 1, 1, "own", &["a"]));
    }
}
