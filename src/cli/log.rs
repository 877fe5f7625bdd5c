//! Starts the log of a command.

use crate::config::{Config, FormerName, LogConfig};
use crate::telemetry;

/// The log filter of commands that only print a result.
pub(super) const QUIET: Option<&str> = Some("warn");

/// The log filter of the demo: one line per request, why a token was refused, and warnings.
pub(super) const REQUESTS: Option<&str> =
    Some("warn,tenant_gateway::http::request_id=info,tenant_gateway::http::graphql::caller=info");

/// Starts logging, with another filter where the settings have the default one.
pub(super) fn logged(config: Config, filter: Option<&str>) -> Config {
    start_log(config, filter, telemetry::init).0
}

/// The same, with what `init` returns.
pub(super) fn start_log<T>(
    mut config: Config,
    filter: Option<&str>,
    init: impl FnOnce(&LogConfig) -> T,
) -> (Config, T) {
    if let Some(filter) = filter.filter(|_| config.log.filter == Config::default().log.filter) {
        config.log.filter = filter.to_owned();
    }
    let log = init(&config.log);
    for FormerName { source, former, present } in &config.former_names {
        tracing::warn!(
            %source,
            former,
            present,
            "a setting was given under its former name, which the next minor version refuses"
        );
    }
    (config, log)
}
