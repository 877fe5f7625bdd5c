//! The traces of `serve`.

use std::sync::Arc;

use crate::config::Config;
use crate::error::Result;
use crate::outbound::CollectorClient;
use crate::telemetry::Traces;

/// Starts the export of traces, if the variables `OTEL_*` ask for it.
///
/// # Errors
/// If the certificates of the collector cannot be read.
pub fn start(config: &Config) -> Result<Option<Traces>> {
    let Some(export) = &config.traces.export else { return Ok(None) };
    let client = CollectorClient::new(export.certificate.as_deref(), export.timeout)?;
    Traces::new(export, config.traces.by_tenant, Arc::new(client)).map(Some)
}
