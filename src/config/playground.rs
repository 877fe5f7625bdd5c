use serde::{Deserialize, Serialize};

/// The page for trying queries in a browser.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaygroundConfig {
    /// Whether `/playground` is served and `/` redirects to it. The demo always serves it.
    /// Variable `TENANT_GATEWAY__PLAYGROUND__ENABLED`, default `false`.
    pub enabled: bool,
}
