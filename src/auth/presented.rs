//! The credentials of a request: a bearer token or a session, the restriction of the token, and the
//! tenant that its headers choose.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, ErrorCode, Result, TokenProblem};
use crate::ids::{SubjectId, TenantId, TokenId};
use crate::roles::Permissions;
use crate::tokens::{Claims, Verifier};

/// The header by which a request chooses its tenant.
pub const TENANT_CONTEXT: HeaderName = HeaderName::from_static("x-tenant-context");
const TENANT_ID: HeaderName = HeaderName::from_static("x-tenant-id");

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

/// Verifies the bearer token of a request (RFC 6750, section 2.1).
///
/// # Errors
/// `UNAUTHENTICATED`, with the same message for every cause.
pub async fn verify_bearer(verifier: &Verifier, headers: &HeaderMap) -> Result<Arc<Claims>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| Error::unauthenticated(TokenProblem::Missing))?;
    if values.next().is_some() {
        return Err(Error::unauthenticated(TokenProblem::Malformed));
    }
    let token =
        value.to_str().ok().and_then(|text| text.split_once(' ')).and_then(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
        });
    verifier.verify(token.ok_or_else(|| Error::unauthenticated(TokenProblem::Missing))?).await
}

/// Reads the tenant headers of a request: `X-Tenant-Context`, also accepted as `X-Tenant-ID`.
///
/// # Errors
/// `BAD_REQUEST` for an empty value, several values, a list, or two names that disagree.
pub fn tenant_header(headers: &HeaderMap) -> Result<Option<TenantHeader>> {
    let bad = |message| Err(Error::new(ErrorCode::BadRequest, message));
    let values = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
    if values(TENANT_CONTEXT).count() > 1 || values(TENANT_ID).count() > 1 {
        return bad("X-Tenant-Context: one tenant at a time");
    }
    let mut named = values(TENANT_CONTEXT).chain(values(TENANT_ID));
    let Some(first) = named.next() else { return Ok(None) };
    if named.any(|other| other != first) {
        return bad("X-Tenant-Context and X-Tenant-ID disagree");
    }
    if first.is_empty() {
        return bad("X-Tenant-Context: must not be empty");
    }
    if first.contains(&b',') {
        return bad("X-Tenant-Context: one tenant at a time");
    }
    Ok(Some(TenantHeader(std::str::from_utf8(first).ok().map(str::to_owned))))
}
