//! GET: queries alone (GraphQL over HTTP, section 5.3).
//!
//! No page of another origin can have a browser send one: it needs `Authorization`, which browsers
//! add to nothing by themselves and send across origins only after a preflight that `cors` answers.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::super::Door;
use super::super::reply::Refused;
use super::accept::Accepted;
use super::caller::Entered;
use super::{asked, post};

/// Serves a GET.
///
/// # Errors
/// 400 for a malformed URL, 405 for a mutation.
pub async fn serve(
    door: &Arc<Door>,
    caller: Box<Entered>,
    accepted: Accepted,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, Refused> {
    let asked = asked::read_url(uri.query().unwrap_or_default(), door.graphql.limits.json_nesting)?;
    post::one(door, caller, accepted, headers, asked, post::Reads::Alone).await
}
