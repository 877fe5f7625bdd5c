use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// What the gateway remembers of its callers between requests.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// How long what a caller may do is remembered before the database is asked again, at most 5
    /// seconds: after that long a disabled client is refused on every node. `0s` asks each time.
    /// Variable `TENANT_GATEWAY__AUTH__ACCESS_CACHE_TTL`, default `3s`.
    #[serde(with = "friendly_duration")]
    pub access_cache_ttl: Duration,

    /// How many callers are remembered, from 1 to 10000000.
    /// Variable `TENANT_GATEWAY__AUTH__CACHE_SIZE`, default `10000`.
    pub cache_size: usize,

    /// How many failed authentications a minute of one `client_id` from one address are heard
    /// before that pair is refused with 429 until the minute is over, from 1 to 1000000. Each node
    /// counts for itself. Variable `TENANT_GATEWAY__AUTH__FAILURES_PER_CLIENT`, default `15`.
    pub failures_per_client: u32,

    /// How many failed authentications a minute from one address are heard, whatever the
    /// `client_id`, before the address is refused with 429 until the minute is over, from 1 to
    /// 1000000. Clients that proved themselves from that address in the last hour go on. An IPv6
    /// address counts with the 64 bits of its network. Variable
    /// `TENANT_GATEWAY__AUTH__FAILURES_PER_ADDRESS`, default `15`.
    pub failures_per_address: u32,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            access_cache_ttl: Duration::from_secs(3),
            cache_size: 10_000,
            failures_per_client: 15,
            failures_per_address: 15,
        }
    }
}

impl AuthConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::duration(self.access_cache_ttl, Duration::ZERO..=Duration::from_secs(5))?;
        ranges::number(self.cache_size, 1..=10_000_000)?;
        ranges::number(self.failures_per_client, 1..=1_000_000)?;
        ranges::number(self.failures_per_address, 1..=1_000_000)
    }
}
