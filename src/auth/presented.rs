//! The verified identity with which a request enters.

use super::token_restriction::TokenRestriction;
use crate::ids::{SubjectId, TenantId, TokenId};
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
