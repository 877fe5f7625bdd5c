//! One id a request: in the answer, in every log line, in every record.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::Door;
use super::cors::cors;
use crate::auth::RequestId;
use crate::ids::random_uuid;

/// The header, in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every request passes: takes the caller's request id if it is well-formed, else makes one; runs the request in a span that
/// carries it, past what browsers ask and what a fault of ours could do.
pub async fn with_request_id(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok()).and_then(RequestId::parse);
    let id = given.unwrap_or_else(|| RequestId::from(random_uuid(&*door.entropy)));
    let span = tracing::info_span!(
        "request",
        request_id = id.as_str(),
        method = %request.method(),
        path = request.uri().path(),
        client = tracing::field::Empty,
        tenant = tracing::field::Empty,
    );
    request.extensions_mut().insert(id.clone());
    let started = door.authorizer.now();
    async {
        let mut response = cors(&door, request, next).await;
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        let millis = door.authorizer.now().since(started).as_millis();
        tracing::info!(
            status = response.status().as_u16(),
            millis = u64::try_from(millis).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}
