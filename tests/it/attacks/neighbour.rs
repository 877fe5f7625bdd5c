//! A client of another tenant, and how long its queries take.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::support::Caller;

/// Queries of a person at a console: some every second.
const PACE: Duration = Duration::from_millis(20);
/// How many are measured alone.
const ALONE: usize = 200;
/// What the scheduler of a machine of two cores, on which attacker and gateway run as well, adds by itself.
const SCHEDULING: Duration = Duration::from_millis(20);

const QUERY: &str = "{ clients { id name } }";

/// How long the neighbour's queries took, in order.
pub struct Latencies(Vec<Duration>);

/// The same alone and beside an attack.
pub struct Beside {
    pub alone: Latencies,
    pub attacked: Latencies,
}

impl Latencies {
    /// The time within which 99 of 100 were answered.
    pub fn p99(&self) -> Duration {
        self.0[(self.0.len() * 99 / 100).min(self.0.len() - 1)]
    }

    fn slowest(&self) -> Duration {
        self.0[self.0.len() - 1]
    }
}

impl Beside {
    /// Whether the neighbour waited at most twice as long as alone.
    pub fn is_undisturbed(&self) -> bool {
        self.attacked.p99() <= 2 * self.alone.p99() + SCHEDULING
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let (alone, attacked) = (&self.alone, &self.attacked);
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

fn sorted(mut latencies: Vec<Duration>) -> Latencies {
    latencies.sort();
    Latencies(latencies)
}

/// Measures alone.
pub async fn alone(caller: &Caller) -> Latencies {
    let mut latencies = Vec::new();
    for _ in 0..ALONE {
        latencies.push(ask(caller).await);
        sleep(PACE).await;
    }
    sorted(latencies)
}

/// Measures until told that the attack is over, and at least a few.
pub async fn until(caller: &Caller, over: watch::Receiver<bool>) -> Latencies {
    let mut latencies = Vec::new();
    while !*over.borrow() || latencies.len() < 20 {
        latencies.push(ask(caller).await);
        sleep(PACE).await;
    }
    sorted(latencies)
}
