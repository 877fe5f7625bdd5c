use serde::{Deserialize, Serialize};

use super::ranges;

/// Quotas of a tenant's records in the shared database. When a quota is reached, creating more
/// fails with CONFLICT; existing records stay. The command line is not limited.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotasConfig {
    /// The maximum number of tenants below a partner, at any depth, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__QUOTAS__TENANTS_BELOW_PARTNER`, default `10000`.
    pub tenants_below_partner: u64,

    /// The maximum number of tenants below a tenant that is not a partner, at any depth, from 0 to
    /// 1000000.
    /// Variable `TENANT_GATEWAY__QUOTAS__TENANTS_BELOW_TENANT`, default `1000`.
    pub tenants_below_tenant: u64,

    /// The maximum number of clients of a tenant, without those of tenants below it, from 1 to
    /// 1000000.
    /// Variable `TENANT_GATEWAY__QUOTAS__CLIENTS_PER_TENANT`, default `10000`.
    pub clients_per_tenant: u64,

    /// The maximum number of users of a tenant, without those of tenants below it, from 1 to
    /// 1000000.
    /// Variable `TENANT_GATEWAY__QUOTAS__USERS_PER_TENANT`, default `1000`.
    pub users_per_tenant: u64,

    /// The maximum number of role assignments of a client or user over all tenants, from 1 to 10000.
    /// Variable `TENANT_GATEWAY__QUOTAS__ROLES_PER_CLIENT`, default `1000`.
    pub roles_per_client: u64,
}

impl Default for QuotasConfig {
    fn default() -> Self {
        Self {
            tenants_below_partner: 10_000,
            tenants_below_tenant: 1_000,
            clients_per_tenant: 10_000,
            users_per_tenant: 1_000,
            roles_per_client: 1_000,
        }
    }
}

impl QuotasConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::number(self.tenants_below_partner, 1..=1_000_000)?;
        ranges::number(self.tenants_below_tenant, 0..=1_000_000)?;
        ranges::number(self.clients_per_tenant, 1..=1_000_000)?;
        ranges::number(self.users_per_tenant, 1..=1_000_000)?;
        ranges::number(self.roles_per_client, 1..=10_000)
    }
}
