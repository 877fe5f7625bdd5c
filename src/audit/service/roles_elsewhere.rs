//! Changes of roles in tenants other than the holder's own, in the audit logs of those tenants.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::entry::Entry;
use super::record::record;
use crate::auth::{RoleHold, TenantScope};
use crate::database::Write;
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::TenantId;

/// A change of the roles that a client or user holds.
pub struct RoleChange {
    /// The name of the mutation.
    pub operation: &'static str,
    /// The holder's own tenant, whose record of the mutation has all roles already.
    pub home: TenantId,
    /// The id of the holder.
    pub subject: String,
    /// The roles before the change.
    pub before: Vec<RoleHold>,
    /// The roles after the change; none if the holder is deleted.
    pub after: Vec<RoleHold>,
}

/// Records in each tenant but the holder's own that the roles held there have changed. The record
/// shows the roles in that tenant only.
///
/// # Errors
/// If the database refuses; the transaction must then not be committed.
pub async fn record_roles_elsewhere(
    write: &Write<'_>,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    change: RoleChange,
) -> Result<()> {
    let RoleChange { operation, home, subject, before, after } = change;
    let tenants: BTreeSet<TenantId> = before.iter().chain(&after).map(|held| held.tenant).collect();
    for tenant in tenants.into_iter().filter(|tenant| *tenant != home) {
        let was = roles_in(tenant, &before);
        let is = roles_in(tenant, &after);
        if was != is {
            let subject = subject.clone();
            let entry = Entry { operation, tenant, subject, before: was, after: is };
            record(write.on(), entropy, scope, entry).await?;
        }
    }
    Ok(())
}

/// The roles in one tenant, as the log shows them; absent if there are none.
fn roles_in(tenant: TenantId, holds: &[RoleHold]) -> Option<Value> {
    let held = holds.iter().filter(|held| held.tenant == tenant);
    let roles = held.map(|held| {
        let end = held.expires_at.map(|end| end.to_string());
        json!({ "roleID": held.role, "expiresAt": end })
    });
    let roles: Vec<Value> = roles.collect();
    (!roles.is_empty()).then(|| json!({ "tenantID": tenant, "roles": roles }))
}
