use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// What the gateway remembers of its callers between requests.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// How long what a caller may do is remembered before the database is asked again, at most 5 seconds: after that
    /// long a disabled client is refused on every node. `0s` asks each time.
    /// Variable `TENANT_GATEWAY__AUTH__STANDING_MAX_AGE`, default `3s`.
    #[serde(with = "friendly_duration")]
    pub standing_max_age: Duration,

    /// How many callers are remembered, from 1 to 10000000.
    /// Variable `TENANT_GATEWAY__AUTH__CACHE_SIZE`, default `10000`.
    pub cache_size: usize,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self { standing_max_age: Duration::from_secs(3), cache_size: 10_000 }
    }
}

impl AuthConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::duration(self.standing_max_age, Duration::ZERO..=Duration::from_secs(5))?;
        ranges::number(self.cache_size, 1..=10_000_000)
    }
}
