//! GET: queries only (GraphQL over HTTP, section 5.3).
//!
//! A page of another origin cannot send such a request: it needs `Authorization` or `X-CSRF-Token`,
//! which browsers do not add by themselves and send to another origin only after a preflight.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::caller::AuthenticatedCaller;
use super::media_type::AcceptedMedia;
use super::request;
use super::single::{Mutations, serve_one};
use crate::http::http_error::HttpError;
use crate::http::state::AppState;

/// Serves a GET.
///
/// # Errors
/// 400 for a malformed URL, 405 for a mutation.
pub async fn serve(
    state: &Arc<AppState>,
    caller: Box<AuthenticatedCaller>,
    accepted: AcceptedMedia,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, HttpError> {
    let query = uri.query().unwrap_or_default();
    let request = request::read_url(query, state.graphql.current().limits.json_nesting)?;
    serve_one(state, caller, accepted, headers, request, Mutations::Forbidden).await
}
