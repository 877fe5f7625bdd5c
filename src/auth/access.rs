//! The access of a client or user in a tenant.

use std::sync::Arc;

use super::entity;
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::roles::{Permission, Permissions, Role};

/// A role that applies in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// The tenant that it is held in: the tenant itself, or one above.
    pub via: TenantId,
    /// When it ends; never if absent.
    pub expires_at: Option<Timestamp>,
}

/// How long a permission, or a whole role, is held; a longer hold is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Not at all.
    None,
    /// Until that moment.
    Until(Timestamp),
    /// Without an end.
    Unlimited,
}

impl Hold {
    /// A hold until that end; `None` is no end.
    pub fn until(end: Option<Timestamp>) -> Self {
        end.map_or(Self::Unlimited, Self::Until)
    }

    /// The end of the hold, `None` if it has no end.
    ///
    /// # Errors
    /// `refused` if there is no hold.
    pub fn end_or<E>(self, refused: impl FnOnce() -> E) -> Result<Option<Timestamp>, E> {
        match self {
            Self::None => Err(refused()),
            Self::Until(end) => Ok(Some(end)),
            Self::Unlimited => Ok(None),
        }
    }
}

/// The roles of a caller in one tenant, and the part of their permissions that the token's scope
/// allows. Without any role, the caller may not enter the tenant.
#[derive(Clone, Debug)]
pub struct Access {
    held: Arc<[RoleGrant]>,
    let_through: Permissions,
}

impl Access {
    /// The access by these roles. Roles that this version does not know are left out.
    pub(super) fn of(held: Vec<entity::GrantRow>) -> Self {
        let held = held.into_iter().filter_map(|held| {
            let role = Role::from_id(held.role_id)?;
            Some(RoleGrant { role, via: held.via, expires_at: held.expires_at })
        });
        Self { held: held.collect(), let_through: Permissions::ALL }
    }

    /// Full access without an end, for the local operator.
    pub(super) fn full(tenant: TenantId) -> Self {
        let held = RoleGrant { role: Role::Administrator, via: tenant, expires_at: None };
        Self { held: [held].into(), let_through: Permissions::ALL }
    }

    /// The same roles, limited to these permissions.
    pub(super) fn narrowed(&self, let_through: Permissions) -> Self {
        Self { held: self.held.clone(), let_through }
    }

    /// The roles that have not ended.
    pub fn roles(&self, now: Timestamp) -> impl Iterator<Item = &RoleGrant> {
        self.held.iter().filter(move |held| held.expires_at.is_none_or(|end| now < end))
    }

    /// Whether a role that has not ended grants the permission.
    pub fn permits(&self, permission: Permission, now: Timestamp) -> bool {
        self.let_through.contains(permission)
            && self.roles(now).any(|held| held.role.permits(permission))
    }

    /// All permissions that the roles grant which have not ended.
    pub fn permissions(&self, now: Timestamp) -> Permissions {
        Permissions::of(
            Permission::ALL.into_iter().filter(|permission| self.permits(*permission, now)),
        )
    }

    /// How long a permission is held here: as long as the longest of the roles that permit it.
    pub fn hold_of(&self, permission: Permission, now: Timestamp) -> Hold {
        if !self.let_through.contains(permission) {
            return Hold::None;
        }
        let holds = self.roles(now).filter(|held| held.role.permits(permission));
        holds.map(|held| Hold::until(held.expires_at)).max().unwrap_or(Hold::None)
    }

    /// How long everything that `role` permits is held here: as long as the shortest of the holds of
    /// its permissions.
    pub fn covers(&self, role: Role, now: Timestamp) -> Hold {
        let holds = role.permissions().iter().map(|permission| self.hold_of(*permission, now));
        holds.min().unwrap_or(Hold::Unlimited)
    }

    /// Whether everything that `role` permits is held here at least until that end; `None` is no
    /// end.
    pub fn covers_until(&self, role: Role, end: Option<Timestamp>, now: Timestamp) -> bool {
        self.covers(role, now) >= Hold::until(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    const NOW: Timestamp = Timestamp::from_millis(1_000);
    const SOON: Timestamp = Timestamp::from_millis(2_000);
    const LATER: Timestamp = Timestamp::from_millis(3_000);

    fn access(held: &[(Role, Option<Timestamp>)]) -> Access {
        let via = TenantId::random(&SystemEntropy);
        let held = held.iter().map(|&(role, expires_at)| RoleGrant { role, via, expires_at });
        Access { held: held.collect(), let_through: Permissions::ALL }
    }

    #[test]
    fn role_ends_at_its_expiry() {
        let access = access(&[(Role::Auditor, Some(SOON))]);
        assert!(access.permits(Permission::ReadClients, NOW));
        assert!(!access.permits(Permission::ReadClients, SOON));
    }

    #[test]
    fn weaker_role_is_covered_and_a_stronger_one_is_not() {
        let analyst = access(&[(Role::Analyst, None)]);
        assert_eq!(analyst.covers(Role::Responder, NOW), Hold::Unlimited);
        assert_eq!(analyst.covers(Role::Auditor, NOW), Hold::Unlimited);
        assert_eq!(analyst.covers(Role::Administrator, NOW), Hold::None);
    }

    #[test]
    fn two_roles_together_cover_what_neither_does_alone() {
        let both = access(&[(Role::Responder, Some(LATER)), (Role::Auditor, Some(SOON))]);
        assert_eq!(both.covers(Role::Auditor, NOW), Hold::Until(SOON));
        assert_eq!(both.covers(Role::Responder, NOW), Hold::Until(LATER));
        assert_eq!(both.covers(Role::Analyst, NOW), Hold::None);
    }

    #[test]
    fn expiring_role_does_not_cover_a_longer_one() {
        let limited = access(&[(Role::Administrator, Some(SOON))]);
        assert!(limited.covers_until(Role::Auditor, Some(SOON), NOW));
        assert!(!limited.covers_until(Role::Auditor, Some(LATER), NOW));
        assert!(!limited.covers_until(Role::Auditor, None, NOW));
        let both = access(&[(Role::Administrator, Some(SOON)), (Role::Auditor, None)]);
        assert!(
            both.covers_until(Role::Auditor, None, NOW)
                && !both.covers_until(Role::Analyst, None, NOW)
        );
    }

    #[test]
    fn narrowed_token_neither_uses_nor_grants_permissions_beyond_its_scope() {
        let whole = access(&[(Role::Administrator, None)]);
        let narrowed = whole.narrowed(Permissions::of(Role::Auditor.permissions().iter().copied()));
        assert!(narrowed.permits(Permission::ReadClients, NOW));
        assert!(!narrowed.permits(Permission::ManageClients, NOW));
        assert_eq!(narrowed.covers(Role::Auditor, NOW), Hold::Unlimited);
        assert_eq!(narrowed.covers(Role::Responder, NOW), Hold::None);
    }

    #[test]
    fn scope_never_widens() {
        let auditor = access(&[(Role::Auditor, None)]).narrowed(Permissions::ALL);
        assert!(!auditor.permits(Permission::ManageClients, NOW));
    }
}
