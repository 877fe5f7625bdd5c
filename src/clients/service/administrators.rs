//! Keeps an administrator in each tenant when a client changes.

use crate::auth::{AdministratorHold, TenantScope, require_administrators};
use crate::clients::model::Client;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::Result;
use crate::ids::TenantId;
use crate::roles::Role;

/// Requires that each tenant in which the change took administration from the client keeps another
/// administrator; `after` is the client after the change, or nothing if it is gone. See
/// [`require_administrators`].
///
/// # Errors
/// `CONFLICT` for the last administrator of a tenant.
pub(super) async fn require_others(
    write: &Write<'_>,
    scope: &TenantScope,
    before: &Client,
    after: Option<&Client>,
) -> Result<()> {
    let now = scope.now();
    let left: Vec<AdministratorHold> =
        after.map(|after| holds(after, now).collect()).unwrap_or_default();
    let keeps = |(tenant, until): &AdministratorHold| {
        left.iter().any(|(kept, kept_until)| kept == tenant && lasts(*kept_until) >= lasts(*until))
    };
    let taken: Vec<AdministratorHold> = holds(before, now).filter(|hold| !keeps(hold)).collect();
    require_administrators(write, scope, &taken).await
}

/// Returns where a client is an administrator, and until when.
fn holds(client: &Client, now: Timestamp) -> impl Iterator<Item = (TenantId, Option<Timestamp>)> {
    let live =
        client.assignments.iter().filter(move |held| held.expires_at.is_none_or(|end| now < end));
    let administrator =
        live.filter(|held| held.role_id == Role::Administrator.id() && client.row.enabled);
    administrator.map(|held| (held.tenant_id, held.expires_at))
}

fn lasts(until: Option<Timestamp>) -> i64 {
    until.map_or(i64::MAX, Timestamp::millis)
}
