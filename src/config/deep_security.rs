use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Deep Security: the keys that the gateway makes for the tenants of an installation.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepSecurityConfig {
    /// How this gateway calls itself in the names of the keys that it makes, `tenant-gateway <instance> <tenant> <right>`: 1 to
    /// 64 of `[A-Za-z0-9._-]`. Gateways that work with one installation are told apart by it.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__INSTANCE`, default `gateway`.
    pub instance: String,

    /// How long a key lives, from 10 minutes to 30 days. It is renewed after four fifths of that.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__KEY_LIFETIME`, default `24h`.
    #[serde(with = "friendly_duration")]
    pub key_lifetime: Duration,

    /// How long other nodes wait for the one that makes a key, before they take it for dead, from 1 second to 5 minutes.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__MINT_LEASE`, default `30s`.
    #[serde(with = "friendly_duration")]
    pub mint_lease: Duration,

    /// The names of roles with which the gateway works for callers who may only read: 1 to 10. A role that may change anything
    /// is not taken, whatever its name.
    /// Variable `TENANT_GATEWAY__DEEP_SECURITY__READ_ONLY_ROLES`, default `["Auditor"]`.
    pub read_only_roles: Vec<String>,
}

impl Default for DeepSecurityConfig {
    fn default() -> Self {
        Self {
            instance: "gateway".to_owned(),
            key_lifetime: Duration::from_hours(24),
            mint_lease: Duration::from_secs(30),
            read_only_roles: vec!["Auditor".to_owned()],
        }
    }
}

impl DeepSecurityConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=64).contains(&self.instance.len()) || !self.instance.bytes().all(plain) {
            return Err("must have 1 to 64 of the characters A-Z a-z 0-9 . _ -".to_owned());
        }
        ranges::duration(self.key_lifetime, Duration::from_mins(10)..=Duration::from_hours(30 * 24))?;
        ranges::duration(self.mint_lease, Duration::from_secs(1)..=Duration::from_mins(5))?;
        ranges::number(self.read_only_roles.len(), 1..=10)
    }
}
