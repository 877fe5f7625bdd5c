use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// Log lines; they go to stderr.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `text`, `json`, or `auto`: text on a terminal, else JSON lines.
    /// Variable `TENANT_GATEWAY__LOG__FORMAT`, default `auto`.
    pub format: LogFormat,

    /// What is logged, as in `info,tenant_gateway=debug`. Variable `TENANT_GATEWAY__LOG__FILTER`,
    /// or `RUST_LOG`, which beats every other source; default `info`.
    pub filter: String,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: "info".into() }
    }
}

impl LogConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let filter = EnvFilter::try_new(&self.filter);
        filter.map(drop).map_err(|error| format!("is not a log filter: {error}"))
    }
}
