use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Deep Security: the API keys that the gateway mints for the tenants of an installation, and how
/// long answers are cached.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepSecurityConfig {
    /// The gateway's name in the names of the keys that it mints, `tenant-gateway <instance>
    /// <tenant> <right>`: 1 to 64 of `[A-Za-z0-9._-]`. It tells apart gateways that share an
    /// installation. Variable `TENANT_GATEWAY__DEEP_SECURITY__INSTANCE`, default `gateway`.
    pub instance: String,

    /// The lifetime of a minted key, from 10 minutes to 30 days. The gateway renews it after four
    /// fifths of that. Variable `TENANT_GATEWAY__DEEP_SECURITY__KEY_LIFETIME`, default `24h`.
    #[serde(with = "friendly_duration")]
    pub key_lifetime: Duration,

    /// How long a node's claim to mint a key lasts unless the node renews it, from 1 second to 5
    /// minutes, by the database's clock. A working node renews it three times in that period; after
    /// that another node mints the key. Variable `TENANT_GATEWAY__DEEP_SECURITY__MINT_LEASE`,
    /// default `5s`.
    #[serde(with = "friendly_duration")]
    pub mint_lease: Duration,

    /// The names of the roles that the gateway may use for callers who can only read: 1 to 10. A
    /// role with a right to change anything is refused, whatever its name. Variable
    /// `TENANT_GATEWAY__DEEP_SECURITY__READ_ONLY_ROLES`, default `["Auditor"]`.
    pub read_only_roles: Vec<String>,

    /// How long this node caches answers about computers, at most 1 hour; `0s` disables the cache.
    /// A cached answer serves the same query of the same tenant and right. Changes that the tenant
    /// makes through this node clear it; changes made through another node or at the manager may
    /// stay unseen for that long. Mutations never read from it. `upstream.cache_size` bounds its
    /// memory. Variable `TENANT_GATEWAY__DEEP_SECURITY__COMPUTERS_CACHE_TTL`, default `0s`.
    #[serde(with = "friendly_duration")]
    pub computers_cache_ttl: Duration,

    /// The same for policies.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__POLICIES_CACHE_TTL`, default `0s`.
    #[serde(with = "friendly_duration")]
    pub policies_cache_ttl: Duration,

    /// The same for roles.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__ROLES_CACHE_TTL`, default `0s`.
    #[serde(with = "friendly_duration")]
    pub roles_cache_ttl: Duration,

    /// The same for API keys, whose secrets are in no cached answer.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__API_KEYS_CACHE_TTL`, default `0s`.
    #[serde(with = "friendly_duration")]
    pub api_keys_cache_ttl: Duration,
}

impl Default for DeepSecurityConfig {
    fn default() -> Self {
        Self {
            instance: "gateway".to_owned(),
            key_lifetime: Duration::from_hours(24),
            mint_lease: Duration::from_secs(5),
            read_only_roles: vec!["Auditor".to_owned()],
            computers_cache_ttl: Duration::ZERO,
            policies_cache_ttl: Duration::ZERO,
            roles_cache_ttl: Duration::ZERO,
            api_keys_cache_ttl: Duration::ZERO,
        }
    }
}

impl DeepSecurityConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=64).contains(&self.instance.len()) || !self.instance.bytes().all(plain) {
            return Err("must be 1 to 64 of the characters A-Z a-z 0-9 . _ -".to_owned());
        }
        ranges::duration(
            self.key_lifetime,
            Duration::from_mins(10)..=Duration::from_hours(30 * 24),
        )?;
        ranges::duration(self.mint_lease, Duration::from_secs(1)..=Duration::from_mins(5))?;
        ranges::number(self.read_only_roles.len(), 1..=10)?;
        let cache_ttls = [
            self.computers_cache_ttl,
            self.policies_cache_ttl,
            self.roles_cache_ttl,
            self.api_keys_cache_ttl,
        ];
        cache_ttls
            .into_iter()
            .try_for_each(|ttl| ranges::duration(ttl, Duration::ZERO..=Duration::from_hours(1)))
    }
}
