use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Calls to the legacy systems.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamConfig {
    /// Whether legacy systems at loopback and private addresses may be called, there also without
    /// TLS. Link-local addresses, multicast and the metadata services of clouds are never called.
    /// Variable `TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES`, default `false`.
    pub allow_private_addresses: bool,

    /// The time limit of connecting, including name resolution and TLS, from 10 milliseconds to 1
    /// minute. Variable `TENANT_GATEWAY__UPSTREAM__CONNECT_TIMEOUT`, default `3s`.
    #[serde(with = "friendly_duration")]
    pub connect_timeout: Duration,

    /// The time limit of a call, from connecting to the end of the answer, from 100 milliseconds to
    /// 10 minutes and not below `connect_timeout`. A read also ends with its operation.
    /// Variable `TENANT_GATEWAY__UPSTREAM__TIMEOUT`, default `15s`.
    #[serde(with = "friendly_duration")]
    pub timeout: Duration,

    /// How often a read is retried after a transient failure, at most 10. Writes are never
    /// retried. Variable `TENANT_GATEWAY__UPSTREAM__RETRIES`, default `2`.
    pub retries: u32,

    /// The number of calls of one tenant to one installation at the same time, from 1 to 10000.
    /// Variable `TENANT_GATEWAY__UPSTREAM__CONCURRENCY`, default `16`.
    pub concurrency: usize,

    /// The number of calls that may wait for the concurrency limit of a tenant and installation, or
    /// for the rate limit of a credential, from 1 to 1000000. Callers are served in turn.
    /// Variable `TENANT_GATEWAY__UPSTREAM__QUEUE`, default `1000`.
    pub queue: usize,

    /// Calls of this node in any 60 seconds to one installation with one credential, at most
    /// 1000000; 0 sets no limit. Deep Security refuses more than 500 per minute of a key. Variable
    /// `TENANT_GATEWAY__UPSTREAM__CALLS_PER_MINUTE`, default `480`.
    pub calls_per_minute: usize,

    /// The number of consecutive failures that open a tenant's circuit to an installation, from 1
    /// to 1000000. Variable `TENANT_GATEWAY__UPSTREAM__BREAKER_FAILURES`, default `5`.
    pub breaker_failures: u32,

    /// The circuit also opens if half of at least this many calls failed within `breaker_window`,
    /// from 1 to 1000000. Variable `TENANT_GATEWAY__UPSTREAM__BREAKER_SAMPLE`, default `20`.
    pub breaker_sample: u32,

    /// The period in which `breaker_sample` counts calls, from 100 milliseconds to 10 minutes.
    /// Variable `TENANT_GATEWAY__UPSTREAM__BREAKER_WINDOW`, default `10s`.
    #[serde(with = "friendly_duration")]
    pub breaker_window: Duration,

    /// How long an open circuit refuses calls before it lets one probe through, from 10
    /// milliseconds to 10 minutes. Variable `TENANT_GATEWAY__UPSTREAM__BREAKER_OPEN`, default
    /// `10s`.
    #[serde(with = "friendly_duration")]
    pub breaker_open: Duration,

    /// The size of the answer cache in bytes, at most 1 GiB; 0 disables it. Answers are cached
    /// where `deep_security.…_cache_ttl` allows it, except one that would fill nearly the whole
    /// cache. Variable `TENANT_GATEWAY__UPSTREAM__CACHE_SIZE`, default `16777216`.
    pub cache_size: usize,

    /// The pause before the next poll of a legacy system's task after a poll that found a change,
    /// from 10 milliseconds to 1 minute. Variable `TENANT_GATEWAY__UPSTREAM__TASK_POLL_MIN`,
    /// default `1s`.
    #[serde(with = "friendly_duration")]
    pub task_poll_min: Duration,

    /// The maximum pause between two polls of a task, from 10 milliseconds to 1 hour.
    /// Variable `TENANT_GATEWAY__UPSTREAM__TASK_POLL_MAX`, default `10s`.
    #[serde(with = "friendly_duration")]
    pub task_poll_max: Duration,

    /// How long a task is polled at most, from 1 second to 30 days.
    /// Variable `TENANT_GATEWAY__UPSTREAM__TASK_DEADLINE`, default `24h`.
    #[serde(with = "friendly_duration")]
    pub task_deadline: Duration,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            allow_private_addresses: false,
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(15),
            retries: 2,
            concurrency: 16,
            queue: 1000,
            calls_per_minute: 480,
            breaker_failures: 5,
            breaker_sample: 20,
            breaker_window: Duration::from_secs(10),
            breaker_open: Duration::from_secs(10),
            cache_size: 16 * 1024 * 1024,
            task_poll_min: Duration::from_secs(1),
            task_poll_max: Duration::from_secs(10),
            task_deadline: Duration::from_hours(24),
        }
    }
}

impl UpstreamConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let tenth = Duration::from_millis(100);
        ranges::duration(self.connect_timeout, Duration::from_millis(10)..=Duration::from_mins(1))?;
        ranges::duration(self.timeout, tenth..=Duration::from_mins(10))?;
        ranges::number(self.retries, 0..=10)?;
        ranges::number(self.concurrency, 1..=10_000)?;
        ranges::number(self.queue, 1..=1_000_000)?;
        ranges::number(self.calls_per_minute, 0..=1_000_000)?;
        ranges::number(self.breaker_failures, 1..=1_000_000)?;
        ranges::number(self.breaker_sample, 1..=1_000_000)?;
        ranges::duration(self.breaker_window, tenth..=Duration::from_mins(10))?;
        ranges::duration(self.breaker_open, Duration::from_millis(10)..=Duration::from_mins(10))?;
        ranges::number(self.cache_size, 0..=1024 * 1024 * 1024)?;
        ranges::duration(self.task_poll_min, Duration::from_millis(10)..=Duration::from_mins(1))?;
        ranges::duration(self.task_poll_max, Duration::from_millis(10)..=Duration::from_hours(1))?;
        ranges::duration(self.task_deadline, Duration::from_secs(1)..=Duration::from_hours(24 * 30))
    }
}
