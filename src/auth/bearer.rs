//! Authenticates the headers of a request and builds its context.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};

use super::authorizer::Authorizer;
use super::context::RequestContext;
use super::presented::{Presented, TenantHeader};
use super::request_id::RequestId;
use crate::error::{Error, ErrorCode, Result, TokenProblem};
use crate::tokens::{Claims, Verifier};

/// The header by which a request chooses its tenant.
pub const TENANT_CONTEXT: &str = "x-tenant-context";
const TENANT_ID: &str = "x-tenant-id";

/// Verifies the bearer token of a request (RFC 6750, section 2.1).
///
/// # Errors
/// `UNAUTHENTICATED`, with the same message for every cause.
pub async fn authenticate(verifier: &Verifier, headers: &HeaderMap) -> Result<Arc<Claims>> {
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

/// Builds the context of a verified caller in the tenant that the headers name.
///
/// # Errors
/// As [`RequestContext::enter`], and `BAD_REQUEST` for ambiguous tenant headers.
pub async fn enter(
    authorizer: &Arc<Authorizer>,
    presented: &Presented,
    headers: &HeaderMap,
    request_id: RequestId,
) -> Result<RequestContext> {
    RequestContext::enter(authorizer, presented, tenant_header(headers)?, request_id).await
}

/// Reads the tenant headers of a request: `X-Tenant-Context`, also accepted as `X-Tenant-ID`.
///
/// # Errors
/// `BAD_REQUEST` for an empty value, several values, a list, or two names that disagree.
fn tenant_header(headers: &HeaderMap) -> Result<Option<TenantHeader>> {
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
