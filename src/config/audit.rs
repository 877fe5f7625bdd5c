use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// The audit log.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// How long audit records are kept, from 1 day to 36500 days. Older ones are deleted; export
    /// them first with `tenant-gateway audit export`. Variable
    /// `TENANT_GATEWAY__AUDIT__RETENTION`, default `400d`.
    #[serde(with = "friendly_duration")]
    pub retention: Duration,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for AuditConfig {
    fn default() -> Self {
        Self { retention: 400 * DAY }
    }
}

impl AuditConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::duration(self.retention, DAY..=36_500 * DAY)
    }
}
