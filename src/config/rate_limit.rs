use serde::{Deserialize, Serialize};

use super::ranges;

/// Rate limits of GraphQL operations, on each node: token buckets that hold one burst.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitConfig {
    /// Operations per second of one client, at most 1000000; 0 sets no limit.
    /// Variable `TENANT_GATEWAY__RATE_LIMIT__CLIENT_PER_SECOND`, default `100`.
    pub client_per_second: u32,

    /// The burst of one client, from 1 to 10000000 operations.
    /// Variable `TENANT_GATEWAY__RATE_LIMIT__CLIENT_BURST`, default `500`.
    pub client_burst: u32,

    /// Operations per second in the context of one tenant, at most 1000000; 0 sets no limit.
    /// Variable `TENANT_GATEWAY__RATE_LIMIT__TENANT_PER_SECOND`, default `200`.
    pub tenant_per_second: u32,

    /// The burst in the context of one tenant, from 1 to 10000000 operations.
    /// Variable `TENANT_GATEWAY__RATE_LIMIT__TENANT_BURST`, default `1000`.
    pub tenant_burst: u32,

    /// The number of clients, and of tenants, that are tracked, from 1 to 10000000. Beyond it, the
    /// entry that was idle longest is dropped. Variable `TENANT_GATEWAY__RATE_LIMIT__CAPACITY`,
    /// default `10000`.
    pub capacity: usize,
}

impl Default for RateLimitConfig {
    fn default() -> Self {
        Self {
            client_per_second: 100,
            client_burst: 500,
            tenant_per_second: 200,
            tenant_burst: 1000,
            capacity: 10_000,
        }
    }
}

impl RateLimitConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::number(self.client_per_second, 0..=1_000_000)?;
        ranges::number(self.client_burst, 1..=10_000_000)?;
        ranges::number(self.tenant_per_second, 0..=1_000_000)?;
        ranges::number(self.tenant_burst, 1..=10_000_000)?;
        ranges::number(self.capacity, 1..=10_000_000)
    }
}
