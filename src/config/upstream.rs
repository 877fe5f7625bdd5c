use serde::{Deserialize, Serialize};

/// Calls to the legacy systems.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamConfig {
    /// Whether an upstream's base URL may lie in a private network. Accepted because scripts set it; it takes effect
    /// with the upstreams, which this version does not have yet.
    /// Variable `TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES`, default `false`.
    pub allow_private_addresses: bool,
}
