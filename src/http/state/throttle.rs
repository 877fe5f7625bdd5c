//! Throttles failed client authentications.
//!
//! Failures are counted for each pair of `client_id` and address, and for each address. A blocked
//! pair is refused even with valid credentials, so that an answer does not confirm a guess; a
//! client cannot be locked out from another address. An address that guesses at many clients is
//! blocked as a whole, except for clients that recently authenticated from it: a neighbour behind
//! the same NAT does not lock them out. Wider networks do not count: secrets are too long to be
//! guessed, and a stranger in the same network must not keep clients from their tokens.
//!
//! Starts of sign-ins, which take room in the database, are counted the same way, and for each wider
//! network too, with a multiple of the limit. Those of an address that is over its own limit do not
//! count for the networks around it: one address cannot block its whole network.
//!
//! A count for each minute and not the token bucket of `rate_limit`: a block lasts for the rest of
//! its minute whatever is tried meanwhile, and `Retry-After` is exactly that time.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::clock::MonotonicTime;
use crate::secret::SecretHash;
use crate::source_networks::SourceNetwork;

const WINDOW: Duration = Duration::from_mins(1);

/// How long a client that authenticated from an address is exempt from its block.
const KNOWN_FOR: Duration = Duration::from_hours(1);

/// Counts failed authentications on this node, in memory of a fixed size.
pub struct Throttle {
    per_client: u32,
    per_address: u32,
    clients: Cache<Pair, Failures>,
    addresses: Cache<SourceNetwork, Failures>,
    /// The wider networks, if they count. Apart from the addresses: an attacker with many of them
    /// must not push these out.
    wider: Option<Cache<SourceNetwork, Failures>>,
    authenticated: Cache<Pair, MonotonicTime>,
    // Concurrent failures must not overwrite each other's count.
    counting: Mutex<()>,
}

/// A `client_id`, hashed since it may be of any length, and an address.
type Pair = ([u8; 32], IpAddr);

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: MonotonicTime,
}

impl Throttle {
    /// Allows the given failures per minute for a client at one address and for one address; tracks
    /// at most `capacity` of each.
    pub fn new(per_client: u32, per_address: u32, capacity: usize) -> Self {
        Self {
            per_client,
            per_address,
            clients: Cache::new(capacity),
            addresses: Cache::new(capacity),
            wider: None,
            authenticated: Cache::new(capacity),
            counting: Mutex::new(()),
        }
    }

    /// Allows that many starts per minute for one address, and a multiple for each wider network.
    pub fn of_starts(limit: u32, capacity: usize) -> Self {
        let wider = Some(Cache::new(capacity));
        Self { wider, ..Self::new(limit, limit, capacity) }
    }

    /// For how many whole seconds this client is blocked at this address; `None` if it is not.
    pub fn blocked(&self, client_id: &str, address: IpAddr, now: MonotonicTime) -> Option<u64> {
        let pair = pair(client_id, address);
        let by_pair =
            self.clients.get(&pair).and_then(|failures| failures.wait(self.per_client, now));
        let known = || self.authenticated.get(&pair).is_some_and(|at| now.since(at) < KNOWN_FOR);
        let wait_of = |network: SourceNetwork| {
            let failures = self.counts_of(network)?.get(&network)?;
            failures.wait(self.limit_of(network), now)
        };
        let by_network = SourceNetwork::around(address).into_iter().filter_map(wait_of).max();
        by_pair.max(by_network.filter(|_| !known()))
    }

    /// Counts a failed authentication.
    pub fn failed(&self, client_id: &str, address: IpAddr, now: MonotonicTime) {
        let pair = pair(client_id, address);
        let _guard = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        count(&self.clients, pair, now);
        for network in SourceNetwork::around(address) {
            let Some(counts) = self.counts_of(network) else { break };
            if count(counts, network, now) > self.limit_of(network) {
                break;
            }
        }
    }

    /// The counts of networks of that width; `None` if they are not counted.
    fn counts_of(&self, network: SourceNetwork) -> Option<&Cache<SourceNetwork, Failures>> {
        if network.weight() == 1 { Some(&self.addresses) } else { self.wider.as_ref() }
    }

    fn limit_of(&self, network: SourceNetwork) -> u32 {
        self.per_address.saturating_mul(network.weight())
    }

    /// Records that the client authenticated from the address.
    pub fn succeeded(&self, client_id: &str, address: IpAddr, now: MonotonicTime) {
        self.authenticated.insert(pair(client_id, address), now);
    }
}

impl Failures {
    fn wait(self, limit: u32, now: MonotonicTime) -> Option<u64> {
        let left = WINDOW.checked_sub(now.since(self.since)).filter(|left| !left.is_zero())?;
        (self.count >= limit)
            .then(|| u64::try_from(left.as_millis().div_ceil(1000)).unwrap_or(1).max(1))
    }
}

/// Counts a failure, and returns how many there are within the window.
fn count<K: Clone + Eq + std::hash::Hash>(
    failures: &Cache<K, Failures>,
    key: K,
    now: MonotonicTime,
) -> u32 {
    let current = failures.get(&key).filter(|failures| now.since(failures.since) < WINDOW);
    let counted = current.map_or(Failures { count: 1, since: now }, |failures| Failures {
        count: failures.count.saturating_add(1),
        ..failures
    });
    failures.insert(key, counted);
    counted.count
}

fn pair(client_id: &str, address: IpAddr) -> Pair {
    let mut hash = [0; 32];
    hash.copy_from_slice(SecretHash::of(client_id.as_bytes()).as_bytes());
    (hash, SourceNetwork::of(address).address())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: MonotonicTime = MonotonicTime::from_start(Duration::from_secs(1000));

    fn here() -> IpAddr {
        "192.0.2.1".parse().unwrap()
    }

    fn after(failures: u32) -> Throttle {
        let throttle = Throttle::new(3, 5, 100);
        (0..failures).for_each(|_| throttle.failed("client", here(), NOW));
        throttle
    }

    #[test]
    fn blocked_pair_waits_for_the_rest_of_the_minute() {
        assert_eq!(after(2).blocked("client", here(), NOW), None);
        let throttle = after(3);
        assert_eq!(throttle.blocked("client", here(), NOW), Some(60));
        assert_eq!(
            throttle.blocked("client", here(), NOW.plus(Duration::from_millis(59_001))),
            Some(1)
        );
        assert_eq!(throttle.blocked("client", here(), NOW.plus(WINDOW)), None);
    }

    #[test]
    fn failures_at_one_address_do_not_block_another() {
        let elsewhere = "192.0.2.2".parse().unwrap();
        assert_eq!(after(100).blocked("client", elsewhere, NOW), None);
    }

    #[test]
    fn guessing_address_is_blocked_except_for_its_known_clients() {
        let throttle = Throttle::new(3, 5, 100);
        throttle.succeeded("neighbour", here(), NOW);
        (0..5).for_each(|client| throttle.failed(&format!("guess {client}"), here(), NOW));
        assert_eq!(throttle.blocked("another", here(), NOW), Some(60));
        assert_eq!(throttle.blocked("neighbour", here(), NOW), None);
        (0..3).for_each(|_| throttle.failed("neighbour", here(), NOW));
        assert_eq!(throttle.blocked("neighbour", here(), NOW), Some(60));
    }

    #[test]
    fn ipv6_network_counts_as_one_address() {
        let throttle = Throttle::new(3, 5, 100);
        (0..5).for_each(|host| {
            throttle.failed("client", format!("2001:db8::{host}").parse().unwrap(), NOW);
        });
        assert!(throttle.blocked("other", "2001:db8::ffff".parse().unwrap(), NOW).is_some());
        assert!(throttle.blocked("other", "2001:db8:0:1::1".parse().unwrap(), NOW).is_none());
    }

    #[test]
    fn many_networks_of_one_site_are_bounded_together() {
        let throttle = Throttle::of_starts(5, 100);
        let host = |site: u32, network: u32| -> IpAddr {
            format!("2001:db8:{site:x}:{network:x}::1").parse().unwrap()
        };
        for network in 0..2 {
            (0..50).for_each(|_| throttle.failed("client", host(0, network), NOW));
        }
        assert!(throttle.blocked("client", host(0, 2), NOW).is_some(), "the /56 has twice as many");
        assert!(throttle.blocked("client", host(0, 0x100), NOW).is_none(), "another /56");
        for network in (0x100..0x700).step_by(0x100) {
            (0..5).for_each(|_| throttle.failed("client", host(0, network), NOW));
        }
        assert!(
            throttle.blocked("client", host(0, 0xff00), NOW).is_some(),
            "the /48 has eight times"
        );
        assert!(throttle.blocked("client", host(1, 0), NOW).is_none(), "another site");
    }

    #[test]
    fn one_address_alone_does_not_block_its_network() {
        let throttle = Throttle::of_starts(5, 100);
        (0..1_000).for_each(|_| throttle.failed("", here(), NOW));
        assert_eq!(throttle.blocked("", "192.0.2.2".parse().unwrap(), NOW), None);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new(3, 5, 100);
        (0..10_000).for_each(|client| throttle.failed(&client.to_string(), here(), NOW));
        assert!(throttle.clients.len() <= 200);
    }
}
