//! One id a request: in the answer, in every log line, in every record.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tracing::Instrument;

use super::Door;
use crate::auth::RequestId;
use crate::ids::random_uuid;

/// The header, in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Takes the caller's request id if it is well-formed, else makes one, and answers the request in a span that carries it.
pub async fn with_request_id(
    door: &Door,
    mut request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
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
        let mut response = answer(request).await;
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
