//! Authenticates the headers of a request and builds its context.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::authorizer::Authorizer;
use super::context::RequestContext;
use super::presented::Presented;
use super::request_id::RequestId;
use super::tenant_header::tenant_header;
use crate::error::{Error, Result, TokenProblem};
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
    let named = |name| headers.get_all(name).iter().map(|value| value.as_bytes());
    let per_name = [named(TENANT_CONTEXT).count(), named(TENANT_ID).count()];
    let header = tenant_header(named(TENANT_CONTEXT).chain(named(TENANT_ID)), per_name)?;
    RequestContext::enter(authorizer, presented, header, request_id).await
}
