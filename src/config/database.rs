use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DatabaseUrl, friendly_duration, ranges};

/// The database that holds tenants, clients and keys.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host/database` or `sqlite:path`. Secret: its password is never
    /// printed. If absent, the SQLite file `tenant-gateway.db` in `data.dir`; see
    /// `Config::database_url`. Variable `TENANT_GATEWAY__DATABASE__URL`, or
    /// `TENANT_GATEWAY__DATABASE__URL_FILE` with the path of a file that contains it; default
    /// absent.
    pub url: Option<DatabaseUrl>,

    /// The maximum number of connections of this node, from 2 to 1000.
    /// Variable `TENANT_GATEWAY__DATABASE__MAX_CONNECTIONS`, default `10`.
    pub max_connections: u32,

    /// How long a write waits for other writes, and a statement for a lock, from 100 milliseconds
    /// to 5 minutes; then the request fails with `DATABASE_UNAVAILABLE`. The wait for a connection
    /// to PostgreSQL ends after at most 2 seconds. Variable
    /// `TENANT_GATEWAY__DATABASE__BUSY_TIMEOUT`, default `10s`.
    #[serde(with = "friendly_duration")]
    pub busy_timeout: Duration,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: None, max_connections: 10, busy_timeout: Duration::from_secs(10) }
    }
}

impl DatabaseConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::number(self.max_connections, 2..=1000)?;
        ranges::duration(self.busy_timeout, Duration::from_millis(100)..=Duration::from_mins(5))
    }
}
