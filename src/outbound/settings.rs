//! The settings of outbound calls.

use std::time::Duration;

use super::route::AddressPolicy;
use crate::config::{BudgetConfig, UpstreamConfig};

/// The settings of outbound calls.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The addresses that may be called.
    pub addresses: AddressPolicy,
    /// The time limit of connecting: name resolution, TCP and TLS.
    pub connect_timeout: Duration,
    /// The time limit of a call, from connecting to the end of the answer.
    pub timeout: Duration,
    /// How often a failed read is retried.
    pub retries: u32,
    /// The number of calls of one tenant to one installation at the same time.
    pub concurrency: usize,
    /// The number of calls that may wait for a concurrency permit of a route, and for a rate permit
    /// of a credential.
    pub queue: usize,
    /// Calls per minute to one installation under one credential; 0 sets no limit.
    pub calls_per_minute: usize,
    /// How long an answer waits for memory: `budget.patience`.
    pub answer_patience: Duration,
    /// When the circuit of a route opens.
    pub breaker: BreakerSettings,
    /// The size of the answer cache, in bytes.
    pub cache_size: usize,
}

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSettings {
    /// The circuit opens after this many failures without a success in between.
    pub consecutive_failures: u32,
    /// It also opens when half of the calls within the window failed, if there were at least this
    /// many.
    pub sample: u32,
    /// The length of the window.
    pub window: Duration,
    /// How long an open circuit refuses calls before it lets one probe through.
    pub open_for: Duration,
}

impl Settings {
    /// The settings of a configuration.
    pub fn new(config: &UpstreamConfig, budget: &BudgetConfig) -> Self {
        Self {
            addresses: AddressPolicy { allow_private: config.allow_private_addresses },
            connect_timeout: config.connect_timeout,
            timeout: config.timeout,
            retries: config.retries,
            concurrency: config.concurrency,
            queue: config.queue,
            calls_per_minute: config.calls_per_minute,
            answer_patience: budget.patience,
            breaker: BreakerSettings {
                consecutive_failures: config.breaker_failures,
                sample: config.breaker_sample,
                window: config.breaker_window,
                open_for: config.breaker_open,
            },
            cache_size: config.cache_size,
        }
    }

    /// A call abandoned after this long counts as failed. Shorter than its time limit, because the
    /// operation of a read usually gives up earlier: an upstream that hangs would never count.
    pub(super) fn abandoned_counts_after(&self) -> Duration {
        self.timeout / 3
    }
}

impl Default for Settings {
    /// The defaults of the configuration.
    fn default() -> Self {
        Self::new(&UpstreamConfig::default(), &BudgetConfig::default())
    }
}
