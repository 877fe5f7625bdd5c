use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Deep Security: the keys that the gateway makes for the tenants of an installation, and how old
/// what it tells may be.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepSecurityConfig {
    /// How this gateway calls itself in the names of the keys that it makes, `tenant-gateway
    /// <instance> <tenant> <right>`: 1 to 64 of `[A-Za-z0-9._-]`. Gateways that work with one
    /// installation are told apart by it. Variable `TENANT_GATEWAY__DEEP_SECURITY__INSTANCE`,
    /// default `gateway`.
    pub instance: String,

    /// How long a key lives, from 10 minutes to 30 days. It is renewed after four fifths of that.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__KEY_LIFETIME`, default `24h`.
    #[serde(with = "friendly_duration")]
    pub key_lifetime: Duration,

    /// How long after its last sign of life the node that makes a key is taken for dead, so that
    /// another one makes the key, from 1 second to 5 minutes. While it works it gives three signs
    /// in that time. By the database's clock. Variable `TENANT_GATEWAY__DEEP_SECURITY__MINT_LEASE`,
    /// default `5s`.
    #[serde(with = "friendly_duration")]
    pub mint_lease: Duration,

    /// The names of roles with which the gateway works for callers who may only read: 1 to 10. A
    /// role that may change anything is not taken, whatever its name. Variable
    /// `TENANT_GATEWAY__DEEP_SECURITY__READ_ONLY_ROLES`, default `["Auditor"]`.
    pub read_only_roles: Vec<String>,

    /// For how long this node answers for computers what it was answered before, to who asks the
    /// same for the same tenant and right, at most 1 hour; `0s` for never. What the tenant changes
    /// through this node is seen at once; what is changed through another one, or at the manager
    /// itself, may be seen so much later. Mutations never rely on it. `upstream.cache_size` bounds
    /// what all this takes. Variable `TENANT_GATEWAY__DEEP_SECURITY__REMEMBER_COMPUTERS`, default
    /// `0s`.
    #[serde(with = "friendly_duration")]
    pub remember_computers: Duration,

    /// The same for policies.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__REMEMBER_POLICIES`, default `0s`.
    #[serde(with = "friendly_duration")]
    pub remember_policies: Duration,

    /// The same for roles.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__REMEMBER_ROLES`, default `0s`.
    #[serde(with = "friendly_duration")]
    pub remember_roles: Duration,

    /// The same for API keys, which never have their secrets with them.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__REMEMBER_API_KEYS`, default `0s`.
    #[serde(with = "friendly_duration")]
    pub remember_api_keys: Duration,
}

impl Default for DeepSecurityConfig {
    fn default() -> Self {
        Self {
            instance: "gateway".to_owned(),
            key_lifetime: Duration::from_hours(24),
            mint_lease: Duration::from_secs(5),
            read_only_roles: vec!["Auditor".to_owned()],
            remember_computers: Duration::ZERO,
            remember_policies: Duration::ZERO,
            remember_roles: Duration::ZERO,
            remember_api_keys: Duration::ZERO,
        }
    }
}

impl DeepSecurityConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=64).contains(&self.instance.len()) || !self.instance.bytes().all(plain) {
            return Err("must have 1 to 64 of the characters A-Z a-z 0-9 . _ -".to_owned());
        }
        ranges::duration(
            self.key_lifetime,
            Duration::from_mins(10)..=Duration::from_hours(30 * 24),
        )?;
        ranges::duration(self.mint_lease, Duration::from_secs(1)..=Duration::from_mins(5))?;
        ranges::number(self.read_only_roles.len(), 1..=10)?;
        let remembered = [
            self.remember_computers,
            self.remember_policies,
            self.remember_roles,
            self.remember_api_keys,
        ];
        remembered
            .into_iter()
            .try_for_each(|lasts| ranges::duration(lasts, Duration::ZERO..=Duration::from_hours(1)))
    }
}
