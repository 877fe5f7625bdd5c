//! The client of the vendor's API: sends one request and classifies its response.

mod auth;
mod error;
mod request;
mod response;

pub use auth::AuthHeaders;
pub use error::{CallError, lacks_right, malformed, no_such_tenant, with_upstream};
pub use request::{ApiRequest, PathSegment};
pub use response::{ApiResponse, ListProjection};

use crate::outbound::{Answer, Call, Operation, Outbound, UpstreamRoute};

/// The most bytes of a response body.
const ANSWER_LIMIT: usize = 32 * 1024 * 1024;

/// Sends a request.
///
/// # Errors
/// [`CallError`], without any of the vendor's text.
pub async fn send(
    outbound: &Outbound,
    operation: &Operation,
    route: &UpstreamRoute,
    auth: &AuthHeaders,
    request: &ApiRequest,
) -> Result<ApiResponse, CallError> {
    let is_write = request.is_write();
    let answer = outbound.send(operation, route, call(auth, request)).await;
    let answer = answer.map_err(|failure| CallError::Other(failure.into_error(route, is_write)))?;
    match answer.status {
        200..=299 => Ok(ApiResponse::new(route.clone(), answer, is_write)),
        status @ (401 | 403) => Err(CallError::Credential(status)),
        status if is_not_the_api(request, &answer) => {
            outbound.note_malformed(route);
            Err(CallError::Other(error::not_the_api(route, status)))
        }
        status => Err(CallError::Other(error::of_status(route, status, is_write))),
    }
}

fn call(auth: &AuthHeaders, request: &ApiRequest) -> Call {
    let mut headers =
        vec![("api-version", "v1".to_owned()), ("accept", "application/json".to_owned())];
    if request.body.is_some() {
        headers.push(("content-type", "application/json".to_owned()));
    }
    headers.extend(auth.0.iter().cloned());
    Call {
        method: request.method,
        path: request.path.clone(),
        query: request.query.clone(),
        headers,
        body: request.body.clone(),
        kind: request.kind,
        answer_limit: ANSWER_LIMIT,
        cache_ttl: request.cache_ttl,
    }
}

/// Whether a response shows that the base URL leads to something other than the API: a redirect, an
/// HTML page where the API returns JSON, or 404 for a path that exists on every installation.
fn is_not_the_api(request: &ApiRequest, answer: &Answer) -> bool {
    match answer.status {
        300..=399 => true,
        404 | 405 => is_html(answer) || !request.names_object() && !request.is_write(),
        _ => false,
    }
}

fn is_html(answer: &Answer) -> bool {
    answer
        .content_type
        .as_deref()
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}
