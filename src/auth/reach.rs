//! How far a token reaches.

use crate::ids::TenantId;
use crate::roles::Permissions;
use crate::tokens::Claims;

/// How far a token reaches: to everything that its client may do, or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reach {
    tenant: Option<TenantId>,
    permissions: Permissions,
}

impl Reach {
    /// To everything.
    pub const WHOLE: Self = Self { tenant: None, permissions: Permissions::ALL };

    /// As far as the token says.
    pub fn of(claims: &Claims) -> Self {
        Self { tenant: claims.only_tenant(), permissions: Permissions::granted(&claims.scope) }
    }

    /// The one tenant that it is good in; nothing is held above it or beside it.
    pub fn tenant(self) -> Option<TenantId> {
        self.tenant
    }

    /// What it lets through of what the client's roles permit.
    pub fn permissions(self) -> Permissions {
        self.permissions
    }
}
