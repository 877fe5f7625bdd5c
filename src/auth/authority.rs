//! Who has authority over whom.

use super::context::TenantScope;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{RoleId, TenantId};
use crate::roles::Role;

impl TenantScope {
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
