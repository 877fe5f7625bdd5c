//! The restriction of a token to one tenant and some permissions.

use crate::ids::TenantId;
use crate::roles::Permissions;
use crate::tokens::Claims;

/// The restriction of a token: to one tenant, to some permissions, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenRestriction {
    tenant: Option<TenantId>,
    permissions: Permissions,
}

impl TokenRestriction {
    /// No restriction.
    pub const WHOLE: Self = Self { tenant: None, permissions: Permissions::ALL };

    /// Reads the restriction from the claims of a token.
    pub fn of(claims: &Claims) -> Self {
        Self { tenant: claims.only_tenant(), permissions: Permissions::granted(&claims.scope) }
    }

    /// The only tenant in which the token is valid; all tenants of the client if absent.
    pub fn tenant(self) -> Option<TenantId> {
        self.tenant
    }

    /// The permissions that the token's scope allows.
    pub fn permissions(self) -> Permissions {
        self.permissions
    }
}
