//! The identity, the restriction of its token and the choice of a tenant that a request presents.

use crate::ids::{SubjectId, TenantId, TokenId};
use crate::roles::Permissions;
use crate::tokens::Claims;

/// A verified identity: of the claims of a token, or of a session. Whether the subject is still
/// enabled, and what it may do, is looked up when it enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The client or user.
    pub subject: SubjectId,
    /// The tenant of requests without a tenant header: the subject's own, or the one that the token
    /// is narrowed to.
    pub home: TenantId,
    /// The token generation of the subject when the token was issued, or the session began.
    pub generation: i64,
    /// The token, which may have been revoked; nothing for a session.
    pub token: Option<TokenId>,
    /// The restriction of the token; [`TokenRestriction::WHOLE`] for a session.
    pub restriction: TokenRestriction,
}

impl From<&Claims> for Presented {
    fn from(claims: &Claims) -> Self {
        Self {
            subject: claims.subject(),
            home: claims.tenant_id,
            generation: claims.generation,
            token: Some(claims.jti),
            restriction: TokenRestriction::of(claims),
        }
    }
}

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

/// The value of the header `X-Tenant-Context`; `None` if it is not UTF-8, which names no tenant.
pub struct TenantHeader(pub Option<String>);
