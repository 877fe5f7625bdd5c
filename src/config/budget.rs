use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Limits of what this node holds and does at the same time, for all callers together. One tenant,
/// and one client of it, gets at most three times the rest that is free, so that there is always
/// room for others. WebSockets and event streams are limited by `limits.streams`, one response by
/// `limits.response`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetConfig {
    /// The maximum number of TCP connections of the public listener, from 1 to 1000000, and never
    /// more than three quarters of the files that the process may open. Variable
    /// `TENANT_GATEWAY__BUDGET__CONNECTIONS`, default `8192`.
    pub connections: usize,

    /// The maximum number of these from one IPv4 address or IPv6 /64, from 1 to 1000000. Proxies in
    /// `server.trusted_proxies` are not limited. Variable
    /// `TENANT_GATEWAY__BUDGET__CONNECTIONS_PER_ADDRESS`, default `512`.
    pub connections_per_address: usize,

    /// The maximum number of WebSockets that are not authenticated yet, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__BUDGET__SOCKETS`, default `512`.
    pub sockets: usize,

    /// The maximum number of these from one IPv4 address or IPv6 /64, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__BUDGET__SOCKETS_PER_ADDRESS`, default `32`.
    pub sockets_per_address: usize,

    /// The maximum number of operations executed at the same time, from 1 to 1000000; costly ones
    /// count several times. Variable `TENANT_GATEWAY__BUDGET__OPERATIONS`, default `512`.
    pub operations: usize,

    /// The maximum size of responses being built or waiting to be read, in bytes, from 1048576 to
    /// 1099511627776. Variable `TENANT_GATEWAY__BUDGET__RESPONSES`, default `67108864`.
    pub responses: usize,

    /// The maximum size of legacy systems' answers in memory, in bytes, from 1048576 to
    /// 1099511627776. One tenant gets about two thirds of it, and one answer at most 33554432.
    /// Variable `TENANT_GATEWAY__BUDGET__UPSTREAM_ANSWERS`, default `50331648`.
    pub upstream_answers: usize,

    /// How long a caller over its share waits for a permit, at most 1 minute.
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
