use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// The sessions of people who have signed in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionsConfig {
    /// How long a session lasts without a request, from 1 minute to 24 hours.
    /// Variable `TENANT_GATEWAY__SESSIONS__IDLE_TIMEOUT`, default `30m`.
    #[serde(with = "friendly_duration")]
    pub idle_timeout: Duration,

    /// How long a session lasts at most, from 5 minutes to 7 days.
    /// Variable `TENANT_GATEWAY__SESSIONS__LIFETIME`, default `12h`.
    #[serde(with = "friendly_duration")]
    pub lifetime: Duration,

    /// How many sessions one person may have, from 1 to 1000; a further one ends the one that was
    /// used longest ago. Variable `TENANT_GATEWAY__SESSIONS__PER_USER`, default `20`.
    pub per_user: u64,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for SessionsConfig {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_mins(30),
            lifetime: Duration::from_hours(12),
            per_user: 20,
        }
    }
}

impl SessionsConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::duration(self.idle_timeout, Duration::from_mins(1)..=DAY)?;
        ranges::duration(self.lifetime, Duration::from_mins(5)..=7 * DAY)?;
        ranges::number(self.per_user, 1..=1000)
    }
}
