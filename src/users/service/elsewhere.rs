//! Records changes of a user's roles in other tenants in the audit logs of those tenants.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::audit::{self, Entry};
use crate::auth::TenantScope;
use crate::database::Write;
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::TenantId;
use crate::users::entity::assignment;
use crate::users::model::User;

/// Records in each tenant but the user's own that the user's roles there have changed. The record
/// shows the roles in that tenant only.
///
/// # Errors
/// If the database refuses; the transaction must then not be committed.
pub(super) async fn record(
    write: &Write<'_>,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    operation: &'static str,
    before: &User,
    after: Option<&User>,
) -> Result<()> {
    let held_after = after.map_or(&[][..], |after| &after.assignments);
    let tenants: BTreeSet<TenantId> =
        before.assignments.iter().chain(held_after).map(|held| held.tenant_id).collect();
    for tenant in tenants.into_iter().filter(|tenant| *tenant != before.tenant()) {
        let was = roles_in(tenant, &before.assignments);
        let is = roles_in(tenant, held_after);
        if was == is {
            continue;
        }
        let subject = before.id().to_string();
        let entry = Entry { operation, tenant, subject, before: was, after: is };
        audit::record(write.on(), entropy, scope, entry).await?;
    }
    Ok(())
}

/// The roles in one tenant, as the log shows them; absent if there are none.
fn roles_in(tenant: TenantId, assignments: &[assignment::Model]) -> Option<Value> {
    let held = assignments.iter().filter(|held| held.tenant_id == tenant);
    let roles = held.map(|held| {
        let end = held.expires_at.map(|end| end.to_string());
        json!({ "roleID": held.role_id, "expiresAt": end })
    });
    let roles: Vec<Value> = roles.collect();
    (!roles.is_empty()).then(|| json!({ "tenantID": tenant, "roles": roles }))
}
