//! Budgets: what this node may hold and do at once. Each budget is a pool of permits. A connection,
//! an operation or a response holds its permit for as long as it exists, so the sum is bounded by
//! construction, whatever a document looks like.
//!
//! | pool | counts | accounts |
//! |---|---|---|
//! | `connections` | TCP connections of the public listener | network address |
//! | `sockets` | WebSockets before authentication | network address |
//! | `held_requests` | requests that wait for a person's approval | network address |
//! | `streams` | WebSockets and event streams | tenant, client |
//! | `operations` | operations that are being executed, weighed by their cost | tenant, client |
//! | `responses` | bytes of responses that are built, or built and not yet sent | tenant, client |
//! | `upstream_answers` | bytes of legacy systems' answers | owner of the installation, tenant |

mod bulk;
pub mod descriptors;
mod meter;
mod network;
mod pool;
mod shares;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::config::Config;

pub use bulk::BulkRuntime;
pub use meter::{RESPONSE_BEGINNING, ResponseMeter, Weight, no_room};
pub use network::Network;
pub use pool::{Exhausted, Figures, Permit, Pool};
pub use shares::{Account, Shares};

/// The cost that one permit of `operations` covers: fields are resolved concurrently, each in a
/// future of a few kilobytes.
const COST_PER_PERMIT: u64 = 1_500;

/// Work of more than this is long: a field weighs 1, as in `limits.cost`, and takes a core at most
/// some microseconds. A page of 100 objects with 20 fields is short: the way to the bulk threads and
/// back would take longer than its fields.
const LONG_WORK: u64 = 2_500;

/// The budgets of one node.
pub struct Budgets {
    /// TCP connections of the public listener.
    pub connections: Arc<Pool<Network>>,
    /// WebSockets before authentication.
    pub sockets: Arc<Pool<Network>>,
    /// Requests that wait for a person's approval.
    pub held_requests: Arc<Pool<Network>>,
    /// WebSockets and event streams of authenticated callers.
    pub streams: Arc<Pool<Uuid>>,
    /// Operations that are being executed.
    pub operations: Arc<Pool<Uuid>>,
    /// Bytes of responses, from the first value to the last byte sent.
    pub responses: Arc<Pool<Uuid>>,
    /// Bytes of legacy systems' answers, from the wire until everything parsed from them is dropped.
    pub upstream_answers: Arc<Pool<Uuid>>,
    /// Threads of their own for long work.
    pub bulk: BulkRuntime,
    /// Permits to build a long part of a response: half of the cores, so that the others stay free.
    pub builders: Arc<Semaphore>,
    /// How long a caller over its share waits for permits.
    pub patience: Duration,
}

impl Budgets {
    /// Creates the budgets of the settings. Connections are capped at three quarters of the file
    /// descriptor limit: the database and the legacy systems need the others.
    pub fn new(config: &Config) -> Self {
        let own = &config.budget;
        let files = descriptors::limit().map_or(usize::MAX, |files| files / 4 * 3);
        Self {
            connections: Pool::with_cap(
                "connections",
                own.connections.min(files).max(1),
                own.connections_per_address,
            ),
            sockets: Pool::with_cap("sockets", own.sockets, own.sockets_per_address),
            held_requests: Pool::with_cap(
                "held_requests",
                config.device.held_requests,
                config.device.held_requests_per_address,
            ),
            streams: Pool::new("streams", config.limits.streams),
            operations: Pool::new("operations", own.operations),
            responses: Pool::new("responses", own.responses),
            upstream_answers: Pool::new("upstream_answers", own.upstream_answers),
            bulk: BulkRuntime::default(),
            builders: Arc::new(Semaphore::new(half_of_the_cores())),
            patience: own.patience,
        }
    }

    /// How many permits of `operations` an operation of that cost takes: at least one, at most half
    /// of the pool, so that every operation within the limits can run, and two of the costliest at
    /// once.
    pub fn operation_permits(&self, cost: u64) -> usize {
        let half = (self.operations.figures().limit / 2).max(1);
        usize::try_from(1 + cost / COST_PER_PERMIT).map_or(half, |permits| permits.min(half))
    }

    /// Whether work of that weight belongs on the threads of [`Budgets::bulk`].
    pub fn is_long(&self, work: u64) -> bool {
        work > LONG_WORK
    }

    /// The figures of each pool.
    pub fn figures(&self) -> [Figures; 7] {
        [
            self.connections.figures(),
            self.sockets.figures(),
            self.held_requests.figures(),
            self.streams.figures(),
            self.operations.figures(),
            self.responses.figures(),
            self.upstream_answers.figures(),
        ]
    }
}

/// How many threads may do long work at once.
pub fn half_of_the_cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costly_operation_takes_the_room_of_many_cheap_ones_and_at_most_half_of_it() {
        let budgets = Budgets::new(&Config::default());
        let half = budgets.operations.figures().limit / 2;
        assert_eq!(budgets.operation_permits(900), 1);
        assert_eq!(budgets.operation_permits(25_000), 17);
        assert_eq!(budgets.operation_permits(500_000), half);
        assert_eq!(budgets.operation_permits(u64::MAX), half);
    }
}
