use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Caches and limits of authentication.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// How long a caller's permissions are cached before the database is read again, at most 5
    /// seconds: after that time a disabled client is refused on every node. `0s` disables the
    /// cache. Variable `TENANT_GATEWAY__AUTH__ACCESS_CACHE_TTL`, default `3s`.
    #[serde(with = "friendly_duration")]
    pub access_cache_ttl: Duration,

    /// The number of callers cached, from 1 to 10000000.
    /// Variable `TENANT_GATEWAY__AUTH__CACHE_SIZE`, default `10000`.
    pub cache_size: usize,

    /// Failed authentications per minute of one `client_id` from one address, from 1 to 1000000.
    /// When the limit is reached, that pair gets 429 until the minute is over. Each node counts
    /// separately. Variable `TENANT_GATEWAY__AUTH__FAILURES_PER_CLIENT`, default `15`.
    pub failures_per_client: u32,

    /// Failed authentications per minute from one address with any `client_id`, from 1 to 1000000.
    /// When the limit is reached, the address gets 429 until the minute is over, except for clients
    /// that authenticated from it in the last hour. IPv6 addresses count by /64 network. Variable
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
