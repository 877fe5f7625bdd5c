use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// What this node may hold and do at once, for all callers together. One tenant, and one client of
/// it, gets at most three times what is still free, so that nobody uses up what a neighbour needs.
/// WebSockets and event streams are bounded by `limits.streams`, one response by `limits.response`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetConfig {
    /// The most TCP connections of the public listener, from 1 to 1000000, and never more than
    /// three quarters of the files that the process may open. Variable
    /// `TENANT_GATEWAY__BUDGET__CONNECTIONS`, default `8192`.
    pub connections: usize,

    /// The most of them from one IPv4 address or one IPv6 /64, from 1 to 1000000. A proxy of
    /// `server.trusted_proxies` may have all. Variable
    /// `TENANT_GATEWAY__BUDGET__CONNECTIONS_PER_ADDRESS`, default `512`.
    pub connections_per_address: usize,

    /// The most WebSockets that have not said yet who they are, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__BUDGET__SOCKETS`, default `512`.
    pub sockets: usize,

    /// The most of them from one IPv4 address or one IPv6 /64, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__BUDGET__SOCKETS_PER_ADDRESS`, default `32`.
    pub sockets_per_address: usize,

    /// The most operations that are executed at once, costly ones counted several times, from 1 to
    /// 1000000. Variable `TENANT_GATEWAY__BUDGET__OPERATIONS`, default `512`.
    pub operations: usize,

    /// The most bytes of responses that are being built or wait to be read, from 1048576 to
    /// 1099511627776. Variable `TENANT_GATEWAY__BUDGET__RESPONSES`, default `67108864`.
    pub responses: usize,

    /// The most bytes of legacy systems' answers, from 1048576 to 1099511627776. One tenant gets
    /// about two thirds of them, and an answer has 33554432 at most.
    /// Variable `TENANT_GATEWAY__BUDGET__UPSTREAM_ANSWERS`, default `50331648`.
    pub upstream_answers: usize,

    /// How long a caller over its share waits for room, at most 1 minute.
    /// Variable `TENANT_GATEWAY__BUDGET__PATIENCE`, default `5s`.
    #[serde(with = "friendly_duration")]
    pub patience: Duration,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_address: 512,
            sockets: 512,
            sockets_per_address: 32,
            operations: 512,
            responses: 64 * 1024 * 1024,
            upstream_answers: 48 * 1024 * 1024,
            patience: Duration::from_secs(5),
        }
    }
}

impl BudgetConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        const BYTES: std::ops::RangeInclusive<usize> = 1024 * 1024..=1024 * 1024 * 1024 * 1024;
        ranges::number(self.connections, 1..=1_000_000)?;
        ranges::number(self.connections_per_address, 1..=1_000_000)?;
        ranges::number(self.sockets, 1..=1_000_000)?;
        ranges::number(self.sockets_per_address, 1..=1_000_000)?;
        ranges::number(self.operations, 1..=1_000_000)?;
        ranges::number(self.responses, BYTES)?;
        ranges::number(self.upstream_answers, BYTES)?;
        ranges::duration(self.patience, Duration::ZERO..=Duration::from_mins(1))
    }
}
