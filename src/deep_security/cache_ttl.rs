//! How long responses are cached.

use std::time::Duration;

use crate::config::DeepSecurityConfig;

/// How long responses about each kind of object are cached for callers of the same tenant and
/// access that send the same request. Zero, the default, disables caching.
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheTtl {
    /// Computers.
    pub computers: Duration,
    /// Policies.
    pub policies: Duration,
    /// Roles.
    pub roles: Duration,
    /// API keys.
    pub api_keys: Duration,
}

impl From<&DeepSecurityConfig> for CacheTtl {
    fn from(config: &DeepSecurityConfig) -> Self {
        Self {
            computers: config.computers_cache_ttl,
            policies: config.policies_cache_ttl,
            roles: config.roles_cache_ttl,
            api_keys: config.api_keys_cache_ttl,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deep_security::wire::{ApiKey, Computer, Policy, Resource, Role, Tenant};

    #[test]
    fn each_kind_of_object_has_its_own_ttl() {
        let config = DeepSecurityConfig {
            computers_cache_ttl: Duration::from_secs(1),
            policies_cache_ttl: Duration::from_secs(2),
            roles_cache_ttl: Duration::from_secs(3),
            api_keys_cache_ttl: Duration::from_secs(4),
            ..DeepSecurityConfig::default()
        };
        let ttl = CacheTtl::from(&config);
        let ttls = [
            Computer::cache_ttl(&ttl),
            Policy::cache_ttl(&ttl),
            Role::cache_ttl(&ttl),
            ApiKey::cache_ttl(&ttl),
            Tenant::cache_ttl(&ttl),
        ];
        assert_eq!(ttls.map(|ttl| ttl.as_secs()), [1, 2, 3, 4, 0]);
    }
}
