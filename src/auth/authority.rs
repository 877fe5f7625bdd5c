//! Authority of callers over other clients, and the end of their own rights.

use super::context::TenantScope;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{RoleId, TenantId};
use crate::roles::{Permission, Role};

impl TenantScope {
    /// When the caller's right to this ends in the tenant of the scope; `None` if it has no end.
    /// Credentials that outlive it would make a limited hold an unlimited one.
    ///
    /// # Errors
    /// `FORBIDDEN` if no role permits it there; if the database cannot be asked.
    pub async fn end_of(&self, permission: Permission) -> Result<Option<Timestamp>> {
        let until = self.access_in(self.tenant()).await?.permits_until(permission, self.now());
        until.ok_or_else(|| {
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
