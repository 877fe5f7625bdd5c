use serde::{Deserialize, Serialize};

use super::ranges;

/// How much a tenant may keep, so that no customer fills the database of all. Past a quota,
/// creating more is a CONFLICT; what is there already stays. The command line is not counted.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotasConfig {
    /// The most tenants below a partner, at whatever distance, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__QUOTAS__TENANTS_BELOW_PARTNER`, default `10000`.
    pub tenants_below_partner: u64,

    /// The most tenants below a tenant that is no partner, at whatever distance, from 0 to 1000000.
    /// Variable `TENANT_GATEWAY__QUOTAS__TENANTS_BELOW_TENANT`, default `1000`.
    pub tenants_below_tenant: u64,

    /// The most clients of a tenant, those of tenants below not counted, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__QUOTAS__CLIENTS_PER_TENANT`, default `10000`.
    pub clients_per_tenant: u64,

    /// The most roles of a client, each counted in every tenant where it is held, from 1 to 10000.
    /// Variable `TENANT_GATEWAY__QUOTAS__ROLES_PER_CLIENT`, default `1000`.
    pub roles_per_client: u64,
}

impl Default for QuotasConfig {
    fn default() -> Self {
        Self {
            tenants_below_partner: 10_000,
            tenants_below_tenant: 1_000,
            clients_per_tenant: 10_000,
            roles_per_client: 1_000,
        }
    }
}

impl QuotasConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::number(self.tenants_below_partner, 1..=1_000_000)?;
        ranges::number(self.tenants_below_tenant, 0..=1_000_000)?;
        ranges::number(self.clients_per_tenant, 1..=1_000_000)?;
        ranges::number(self.roles_per_client, 1..=10_000)
    }
}
