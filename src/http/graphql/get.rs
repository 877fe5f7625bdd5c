//! GET: queries alone (GraphQL over HTTP, section 5.3).
//!
//! No page of another origin can have a browser send one: it needs `Authorization`, which browsers
//! add to nothing by themselves and send across origins only after a preflight that `cors` answers.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::super::AppState;
use super::super::reply::HttpError;
use super::caller::AuthenticatedCaller;
use super::media_type::AcceptedMedia;
use super::{post, request};

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
    let request =
        request::read_url(uri.query().unwrap_or_default(), state.graphql.limits.json_nesting)?;
    post::one(state, caller, accepted, headers, request, post::Reads::Alone).await
}
