//! How keys are minted.

use std::time::Duration;

use crate::config::DeepSecurityConfig;

/// How keys are minted.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// The gateway's name in the names of its keys.
    pub instance: String,
    /// The lifetime of a key.
    pub lifetime: Duration,
    /// How long a node's claim to mint a key lasts unless the node renews it.
    pub lease: Duration,
    /// The names of the roles for read-only keys.
    pub read_only_roles: Vec<String>,
}

impl From<&DeepSecurityConfig> for KeySettings {
    fn from(config: &DeepSecurityConfig) -> Self {
        Self {
            instance: config.instance.clone(),
            lifetime: config.key_lifetime,
            lease: config.mint_lease,
            read_only_roles: config.read_only_roles.clone(),
        }
    }
}
