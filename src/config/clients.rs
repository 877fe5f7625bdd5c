use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Clients and their secrets.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientsConfig {
    /// How long an idempotency key of `createClient` is kept, from 1 minute to 30 days.
    /// Variable `TENANT_GATEWAY__CLIENTS__IDEMPOTENCY_RETENTION`, default `24h`.
    #[serde(with = "friendly_duration")]
    pub idempotency_retention: Duration,

    /// The maximum grace period of a rotated secret, at most 7 days.
    /// Variable `TENANT_GATEWAY__CLIENTS__GRACE_PERIOD_MAX`, default `7d`.
    #[serde(with = "friendly_duration")]
    pub grace_period_max: Duration,

    /// How often last uses and token counts are written to the database, from 100 milliseconds to 1
    /// minute; a crash loses those not written yet. Variable
    /// `TENANT_GATEWAY__CLIENTS__USAGE_FLUSH`, default `1s`.
    #[serde(with = "friendly_duration")]
    pub usage_flush: Duration,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for ClientsConfig {
    fn default() -> Self {
        Self {
            idempotency_retention: DAY,
            grace_period_max: 7 * DAY,
            usage_flush: Duration::from_secs(1),
        }
    }
}

impl ClientsConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::duration(self.idempotency_retention, Duration::from_mins(1)..=30 * DAY)?;
        ranges::duration(self.grace_period_max, Duration::ZERO..=7 * DAY)?;
        ranges::duration(self.usage_flush, Duration::from_millis(100)..=Duration::from_mins(1))
    }
}
