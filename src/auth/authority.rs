//! Authority of callers over other subjects, and the end of their own rights. One rule for clients
//! and users, whichever of them calls and whichever is changed.

use super::scope::TenantScope;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{RoleId, TenantId};
use crate::roles::{Permission, Role};

/// A role that a subject holds in a tenant; it may have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleHold {
    /// The role.
    pub role: RoleId,
    /// The tenant.
    pub tenant: TenantId,
    /// When it ends; never if absent.
    pub expires_at: Option<Timestamp>,
}

impl TenantScope {
    /// Requires that the caller has authority over the holder of these roles, a `client` or `user`:
    /// over each of them, as [`TenantScope::has_authority_over`] has it.
    ///
    /// # Errors
    /// `FORBIDDEN` if the caller has none; if the database cannot be asked.
    pub async fn require_authority_over(&self, who: &str, holds: &[RoleHold]) -> Result<()> {
        for held in holds {
            if !self.has_authority_over(held.role, held.tenant, held.expires_at).await? {
                return Err(Error::forbidden(format!(
                    "the {who} holds a role that permits more than the caller may do, or for \
                     longer than the caller may"
                )));
            }
        }
        Ok(())
    }

    /// Returns the end of a new role of a subject that the caller manages by that permission: the
    /// requested one, or that of the caller's own hold if it is earlier.
    ///
    /// # Errors
    /// `FORBIDDEN` if the caller may not give this role there, `BAD_USER_INPUT` for an end in the
    /// past.
    pub async fn permitted_end(
        &self,
        by: Permission,
        tenant: TenantId,
        role: Role,
        requested: Option<Timestamp>,
    ) -> Result<Option<Timestamp>> {
        let now = self.now();
        if requested.is_some_and(|end| end <= now) {
            return Err(Error::bad_input("expiresAt", "must lie in the future"));
        }
        let access = self.access_in(tenant).await?;
        if !access.permits(by, now) {
            let needed = by.sentence();
            return Err(Error::forbidden(format!(
                "this needs the right to {needed} in the tenant of the role"
            )));
        }
        let own_end = access.covers(role, now).end_or(|| {
            Error::forbidden(format!(
                "{role} permits more than the caller may do in the tenant of the role"
            ))
        })?;
        Ok([requested, own_end].into_iter().flatten().min())
    }

    /// When the caller's right to this ends in the tenant of the scope; `None` if it has no end.
    /// Credentials that outlive it would make a limited hold an unlimited one.
    ///
    /// # Errors
    /// `FORBIDDEN` if no role permits it there; if the database cannot be asked.
    pub async fn end_of(&self, permission: Permission) -> Result<Option<Timestamp>> {
        let hold = self.access_in(self.tenant()).await?.hold_of(permission, self.now());
        hold.end_or(|| {
            let needed = permission.sentence();
            Error::forbidden(format!("this needs the right to {needed} in the tenant in context"))
        })
    }

    /// Whether the caller has authority over a holder of this role: they hold everything that it
    /// permits, in the tenant where it is held, and for at least as long. A caller with less, or
    /// with as much for a shorter time, could make it their own by acting as the holder. A role
    /// that has ended gives its holder nothing to protect.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn has_authority_over(
        &self,
        role: RoleId,
        held_in: TenantId,
        expires_at: Option<Timestamp>,
    ) -> Result<bool> {
        let now = self.now();
        let Some(role) = Role::from_id(role) else { return Ok(true) };
        if expires_at.is_some_and(|end| end <= now) {
            return Ok(true);
        }
        Ok(self.access_in(held_in).await?.covers_until(role, expires_at, now))
    }
}
