use serde::{Deserialize, Serialize};

use super::TraceExport;

/// Traces for a collector of OpenTelemetry. The standard variables `OTEL_*` say where they go.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// Whether spans name the tenant and the client by their ids. Variable
    /// `TENANT_GATEWAY__TRACES__BY_TENANT`, default `false`.
    pub by_tenant: bool,

    /// Where and how traces are exported, from the variables `OTEL_*`; none if they are off.
    #[serde(skip)]
    pub export: Option<TraceExport>,
}
