use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// People who sign in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsersConfig {
    /// How long a one-time link works by which a person sets a password, from 5 minutes to 30 days.
    /// Variable `TENANT_GATEWAY__USERS__LINK_LIFETIME`, default `7d`.
    #[serde(with = "friendly_duration")]
    pub link_lifetime: Duration,

    /// Failed sign-ins with one e-mail address from one network before further ones have to wait, from
    /// 1 to 1000000. The wait doubles up to a minute.
    /// Variable `TENANT_GATEWAY__USERS__FAILURES_PER_USER`, default `5`.
    pub failures_per_user: u32,

    /// Failed sign-ins from one network before further ones have to wait, from 1 to 1000000. People
    /// who signed in from there in the last 30 days do not wait.
    /// Variable `TENANT_GATEWAY__USERS__FAILURES_PER_ADDRESS`, default `50`.
    pub failures_per_address: u32,

    /// The number of passwords hashed at the same time, from 1 to 64. Each takes 64 MiB of memory.
    /// Variable `TENANT_GATEWAY__USERS__HASHES_AT_ONCE`, default `2`.
    pub hashes_at_once: usize,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for UsersConfig {
    fn default() -> Self {
        Self {
            link_lifetime: 7 * DAY,
            failures_per_user: 5,
            failures_per_address: 50,
            hashes_at_once: 2,
        }
    }
}

impl UsersConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::duration(self.link_lifetime, Duration::from_mins(5)..=30 * DAY)?;
        ranges::number(self.failures_per_user, 1..=1_000_000)?;
        ranges::number(self.failures_per_address, 1..=1_000_000)?;
        ranges::number(self.hashes_at_once, 1..=64)
    }
}
