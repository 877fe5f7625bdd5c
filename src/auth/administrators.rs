//! Keeps the last administrator of a tenant.

use super::context::{Caller, TenantScope};
use super::entity;
use crate::clock::Timestamp;
use crate::database::{AdvisoryLock, Write};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::roles::Role;

/// The role of an administrator, held in a tenant until an end; `None` is no end.
pub type AdministratorHold = (TenantId, Option<Timestamp>);

/// Requires that each tenant where such a hold was taken or shortened keeps an administrator: an
/// enabled client of an open tenant with a working secret or key, which holds the role there or
/// above for at least as long. To be called after the change, as the last thing that a transaction
/// waits for: changes of administrators wait for each other, so that two of them cannot remove each
/// other. The local operator, who can make a new one, is not held back.
///
/// # Errors
/// `CONFLICT` if a tenant would be left without one.
pub async fn require_administrators(
    write: &Write<'_>,
    scope: &TenantScope,
    taken: &[AdministratorHold],
) -> Result<()> {
    if taken.is_empty() || !matches!(scope.caller(), Caller::Client { .. }) {
        return Ok(());
    }
    write.lock(AdvisoryLock::Administrators).await?;
    for (tenant, until) in taken {
        if !entity::has_administrator(
            write.on(),
            Role::Administrator.id(),
            *tenant,
            *until,
            scope.now(),
        )
        .await?
        {
            return Err(Error::conflict(
                "a tenant would be left without an administrator who can sign in: give \
                TenantAdministrator to another client first",
            ));
        }
    }
    Ok(())
}

/// Returns where the caller is an administrator at this moment.
///
/// # Errors
/// If the database cannot be asked.
pub async fn own_holds(write: &Write<'_>, scope: &TenantScope) -> Result<Vec<AdministratorHold>> {
    let Caller::Client { id, .. } = scope.caller() else { return Ok(Vec::new()) };
    let held = entity::held_anywhere(write.on(), *id).await?;
    let live = held.into_iter().filter(|held| held.expires_at.is_none_or(|end| scope.now() < end));
    let administrator = live.filter(|held| held.role_id == Role::Administrator.id());
    Ok(administrator.map(|held| (held.via, held.expires_at)).collect())
}
