//! Keeps an administrator in each tenant when a client changes.

use crate::auth::{TenantScope, require_administrators, taken_holds};
use crate::clients::model::Client;
use crate::database::Write;
use crate::error::Result;

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
    let holds = |client: &Client| if client.row.enabled { client.holds() } else { Vec::new() };
    let left = after.map(holds).unwrap_or_default();
    let taken = taken_holds(&holds(before), &left, scope.now());
    require_administrators(write, scope, &taken).await
}
