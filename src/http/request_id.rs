//! The id of a request, in every log line and audit record, beside the one that the client sent.
//!
//! Not `tower-http`'s `SetRequestIdLayer`, which takes over the client's id: ours stays unique
//! even where clients repeat theirs.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tracing::Instrument;

use super::state::AppState;
use crate::auth::RequestId;
use crate::ids::random_uuid;

/// The header of requests and responses.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id of its own, beside the client's if that is well-formed, and answers it
/// in a span with both.
pub async fn with_request_id(
    state: &AppState,
    mut request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let given = request.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
    let id = RequestId::from(random_uuid(&*state.entropy)).given(given);
    let span = tracing::info_span!(
        "request",
        request_id = id.own(),
        caller_request_id = id.of_caller(),
        method = %request.method(),
        path = request.uri().path(),
        client = tracing::field::Empty,
        tenant = tracing::field::Empty,
    );
    request.extensions_mut().insert(id.clone());
    let started = state.authorizer.monotonic();
    async {
        let mut response = answer(request).await;
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        let millis = state.authorizer.monotonic().since(started).as_millis();
        tracing::info!(
            status = response.status().as_u16(),
            millis = u64::try_from(millis).unwrap_or(u64::MAX),
            "request completed"
        );
        response
    }
    .instrument(span)
    .await
}
