use serde::{Deserialize, Serialize};

/// The page for trying out queries.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaygroundConfig {
    /// Whether `/playground` is served, and `/` leads there. The demo always serves it.
    /// Variable `TENANT_GATEWAY__PLAYGROUND__ENABLED`, default `false`.
    pub enabled: bool,
}
