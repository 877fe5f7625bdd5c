//! How calls are made.

use std::time::Duration;

use super::base_url::AddressPolicy;
use super::breaker::BreakerSettings;
use crate::config::{BudgetConfig, UpstreamConfig};

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Which addresses may be called.
    pub addresses: AddressPolicy,
    /// How long a connection may take: the name, the far side, its certificate.
    pub connect_timeout: Duration,
    /// How long a call may take, from connecting to the end of the answer.
    pub timeout: Duration,
    /// How often a read that failed is sent again.
    pub retries: u32,
    /// How many calls of one tenant are at one installation at once.
    pub concurrency: usize,
    /// How many calls may wait: for a tenant's place at an installation, and for their turn under
    /// one credential.
    pub queue: usize,
    /// How many calls a minute are made at one installation with one credential; 0 sets no limit.
    pub calls_per_minute: usize,
    /// How long an answer waits for room in the node's memory.
    pub answer_patience: Duration,
    /// When a circuit opens.
    pub breaker: BreakerSettings,
    /// How many bytes of answers are remembered, where a call says that they may be.
    pub cache_size: usize,
}

impl Settings {
    /// How long a call that is given up must have taken to count as a failure: most reads are given
    /// up by their operation before their own time is over.
    pub(super) fn patience(&self) -> Duration {
        self.timeout / 3
    }
}

impl Default for Settings {
    /// Those of the settings' defaults.
    fn default() -> Self {
        Self::from(&UpstreamConfig::default())
    }
}

impl From<&UpstreamConfig> for Settings {
    fn from(config: &UpstreamConfig) -> Self {
        Self {
            addresses: AddressPolicy { allow_private: config.allow_private_addresses },
            connect_timeout: config.connect_timeout,
            timeout: config.timeout,
            retries: config.retries,
            concurrency: config.concurrency,
            queue: config.queue,
            calls_per_minute: config.calls_per_minute,
            answer_patience: BudgetConfig::default().patience,
            breaker: BreakerSettings {
                consecutive_failures: config.breaker_failures,
                sample: config.breaker_sample,
                window: config.breaker_window,
                open_for: config.breaker_open,
            },
            cache_size: config.cache_size,
        }
    }
}
