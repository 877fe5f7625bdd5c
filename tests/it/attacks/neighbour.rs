//! A client of another tenant, and the latency of its queries.

use std::fmt;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::support::Caller;

/// The query rate of a person at a console.
const PACE: Duration = Duration::from_millis(20);
/// The number of measurements alone, before an attack and again after it.
const ALONE: usize = 75;
/// The lower bound for the p99 alone: attacker, legacy systems and gateway share the cores of one
/// machine, and a woken thread waits some milliseconds to be scheduled.
const FLOOR: Duration = Duration::from_millis(10);

const QUERY: &str = "{ clients { id name } }";

/// The latencies of the neighbour's queries, in order.
pub struct Latencies(Vec<Duration>);

/// The latencies alone and beside an attack.
pub struct Beside {
    pub alone: Latencies,
    pub attacked: Latencies,
}

impl Latencies {
    /// Merges two series.
    pub fn and(self, other: Self) -> Self {
        let mut all = self.0;
        all.extend(other.0);
        all.sort();
        Self(all)
    }

    /// The 99th percentile.
    pub fn p99(&self) -> Duration {
        self.0[(self.0.len() * 99 / 100).min(self.0.len() - 1)]
    }

    fn slowest(&self) -> Duration {
        self.0[self.0.len() - 1]
    }
}

impl Beside {
    /// Whether the p99 beside the attack is at most twice that alone.
    pub fn is_undisturbed(&self) -> bool {
        self.attacked.p99() <= 2 * self.alone.p99().max(FLOOR)
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let alone = &self.alone;
        let attacked = &self.attacked;
        write!(
            f,
            "{:.1} → {:.1} ms ({:.1} ms, {} queries)",
            millis(alone.p99()),
            millis(attacked.p99()),
            millis(attacked.slowest()),
            attacked.0.len()
        )
    }
}

async fn ask(caller: &Caller) -> Duration {
    let began = Instant::now();
    let answer = caller.ask(QUERY, json!({})).await;
    assert_eq!((answer.status, answer.body.get("errors")), (200, None), "{}", answer.body);
    began.elapsed()
}

/// Measures on a separate thread and connection: the attacker and the legacy systems use CPU time
/// in this process as well, which does not count against the gateway.
async fn measured(caller: &Caller, goes_on: impl Fn(usize) -> bool + Send + 'static) -> Latencies {
    let mut caller = caller.clone();
    let measure = async move {
        caller.gateway.http = reqwest::Client::new();
        // The first query opens the connection.
        ask(&caller).await;
        let mut latencies = Vec::new();
        while goes_on(latencies.len()) {
            latencies.push(ask(&caller).await);
            sleep(PACE).await;
        }
        latencies
    };
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let measured = spawn_blocking(move || runtime.block_on(measure)).await;
    let mut latencies = measured.expect("the neighbour is answered");
    latencies.sort();
    Latencies(latencies)
}

/// Measures alone.
pub async fn alone(caller: &Caller) -> Latencies {
    measured(caller, |count| count < ALONE).await
}

/// Measures until the attack is over, and at least a few times.
pub async fn until(caller: &Caller, over: watch::Receiver<bool>) -> Latencies {
    measured(caller, move |count| !*over.borrow() || count < 20).await
}
