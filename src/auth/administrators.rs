//! Keeps the last administrator of a tenant.

use super::authority::RoleHold;
use super::entity;
use super::scope::TenantScope;
use crate::clock::Timestamp;
use crate::database::{AdvisoryLock, Write};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::roles::Role;

/// The role of an administrator, held in a tenant until an end; `None` is no end.
pub type AdministratorHold = (TenantId, Option<Timestamp>);

/// Requires that each tenant where such a hold was taken or shortened keeps an administrator: a
/// subject of an open tenant that can sign in and holds the role there or above for at least as
/// long. A client signs in with a working secret or key, a person with a password and a second
/// factor. Call it after the change, as the last lock of the transaction: changes of administrators
/// wait for each other, so that two of them cannot remove each other. The local operator, who can
/// create an administrator, is exempt.
///
/// # Errors
/// `CONFLICT` if a tenant would be left without one.
pub async fn require_administrators(
    write: &Write<'_>,
    scope: &TenantScope,
    taken: &[AdministratorHold],
) -> Result<()> {
    if taken.is_empty() || scope.caller().subject().is_none() {
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
                TenantAdministrator to another client or user first",
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
    let Some(subject) = scope.caller().subject() else { return Ok(Vec::new()) };
    let held = entity::held_anywhere(write.on(), subject).await?;
    let live = held.into_iter().filter(|held| held.expires_at.is_none_or(|end| scope.now() < end));
    let administrator = live.filter(|held| held.role_id == Role::Administrator.id());
    Ok(administrator.map(|held| (held.via, held.expires_at)).collect())
}

/// The holds of an administrator that a change took from a subject or shortened: those before it
/// that none after it outlasts.
pub fn taken_holds(
    before: &[RoleHold],
    after: &[RoleHold],
    now: Timestamp,
) -> Vec<AdministratorHold> {
    let left: Vec<AdministratorHold> = administrator_holds(after, now).collect();
    let keeps = |(tenant, until): &AdministratorHold| {
        left.iter().any(|(kept, kept_until)| kept == tenant && lasts(*kept_until) >= lasts(*until))
    };
    administrator_holds(before, now).filter(|hold| !keeps(hold)).collect()
}

fn administrator_holds(
    holds: &[RoleHold],
    now: Timestamp,
) -> impl Iterator<Item = AdministratorHold> {
    let live = holds.iter().filter(move |held| held.expires_at.is_none_or(|end| now < end));
    let administrator = live.filter(|held| held.role == Role::Administrator.id());
    administrator.map(|held| (held.tenant, held.expires_at))
}

fn lasts(until: Option<Timestamp>) -> i64 {
    until.map_or(i64::MAX, Timestamp::millis)
}
