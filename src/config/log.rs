use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// The log, written to stderr.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `text`, `json`, or `auto`: text on a terminal, else JSON lines.
    /// Variable `TENANT_GATEWAY__LOG__FORMAT`, default `auto`.
    pub format: LogFormat,

    /// The log filter, such as `info,tenant_gateway=debug`. Variable `TENANT_GATEWAY__LOG__FILTER`,
    /// or `RUST_LOG`, which overrides every other source; default `info`.
    pub filter: String,
}

/// The format of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// One line of text per event.
    Text,
    /// One JSON object per line.
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
        filter.map(drop).map_err(|error| format!("invalid log filter: {error}"))
    }
}
