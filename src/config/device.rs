use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Device authorization: people connect programs that have no browser.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceConfig {
    /// How long a code may be approved and used, from 1 minute to 30 minutes.
    /// Variable `TENANT_GATEWAY__DEVICE__CODE_LIFETIME`, default `10m`.
    #[serde(with = "friendly_duration")]
    pub code_lifetime: Duration,

    /// How long a program has to wait between two polls of the token endpoint, from 1 second to 1
    /// minute. Variable `TENANT_GATEWAY__DEVICE__POLL_INTERVAL`, default `5s`.
    #[serde(with = "friendly_duration")]
    pub poll_interval: Duration,

    /// How long a request of the Taegis SDK is held until the approval, from 1 second to 290
    /// seconds: the SDK gives up after 300. Variable `TENANT_GATEWAY__DEVICE__HOLD`, default
    /// `290s`.
    #[serde(with = "friendly_duration")]
    pub hold: Duration,

    /// The maximum number of requests that this node holds, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__DEVICE__HELD_REQUESTS`, default `512`.
    pub held_requests: usize,

    /// The maximum number of held requests from one IPv4 address or IPv6 /64, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__DEVICE__HELD_REQUESTS_PER_ADDRESS`, default `32`.
    pub held_requests_per_address: usize,

    /// The maximum number of codes from one IPv4 address or IPv6 /64 that nobody has decided yet,
    /// over all nodes, from 1 to 1000000. Variable
    /// `TENANT_GATEWAY__DEVICE__CODES_PER_ADDRESS`, default `32`.
    pub codes_per_address: u64,

    /// The maximum number of wrong codes that people enter from one address in one minute, from 1
    /// to 1000000. Each node counts separately. Variable
    /// `TENANT_GATEWAY__DEVICE__WRONG_CODES_PER_ADDRESS`, default `15`.
    pub wrong_codes_per_address: u32,
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self {
            code_lifetime: Duration::from_mins(10),
            poll_interval: Duration::from_secs(5),
            hold: Duration::from_secs(290),
            held_requests: 512,
            held_requests_per_address: 32,
            codes_per_address: 32,
            wrong_codes_per_address: 15,
        }
    }
}

impl DeviceConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::duration(self.code_lifetime, Duration::from_mins(1)..=Duration::from_mins(30))?;
        ranges::duration(self.poll_interval, Duration::from_secs(1)..=Duration::from_mins(1))?;
        ranges::duration(self.hold, Duration::from_secs(1)..=Duration::from_secs(290))?;
        ranges::number(self.held_requests, 1..=1_000_000)?;
        ranges::number(self.held_requests_per_address, 1..=1_000_000)?;
        ranges::number(self.codes_per_address, 1..=1_000_000)?;
        ranges::number(self.wrong_codes_per_address, 1..=1_000_000)
    }
}
