use serde::{Deserialize, Serialize};

/// Figures for Prometheus, at `/metrics` of the admin listener.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Whether operations and calls are counted per tenant, labelled with its id: the first 1,000
    /// tenants, and all others together as `other`. Variable `TENANT_GATEWAY__METRICS__BY_TENANT`,
    /// default `false`.
    pub by_tenant: bool,
}
