//! POST: one operation, or a batch where batching is enabled.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;

use super::batch::serve_batch;
use super::caller::AuthenticatedCaller;
use super::media_type::AcceptedMedia;
use super::request::{RequestBody, read_body};
use super::single::{Mutations, serve_one};
use crate::http::body::{self, BodyError};
use crate::http::content_type::{ContentType, is_encoded};
use crate::http::http_error::HttpError;
use crate::http::state::AppState;

/// In bytes. A longer body is parsed on the bulk threads.
const LONG_BODY: usize = 16 * 1024;

/// Serves a POST.
///
/// # Errors
/// 415, 413, 408, 400 and 429.
pub async fn serve(
    state: &Arc<AppState>,
    caller: Box<AuthenticatedCaller>,
    accepted: AcceptedMedia,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, HttpError> {
    let bytes = read(state, headers, body).await?;
    let json_nesting = state.graphql.current().limits.json_nesting;
    let parsed = if bytes.len() > LONG_BODY {
        // Boxed: keeps the cold path out of the hot future's size.
        let parse = async move { read_body(&bytes, json_nesting) };
        state.budgets.bulk.run(parse).boxed().await
    } else {
        read_body(&bytes, json_nesting)
    };
    match parsed? {
        RequestBody::One(request) => {
            serve_one(state, caller, accepted, headers, request, Mutations::Allowed).await
        }
        // Boxed: keeps the cold path out of the hot future's size.
        RequestBody::Batch(batch) => {
            serve_batch(state, &caller, accepted, headers, batch).boxed().await
        }
    }
}

/// Reads the body if it is declared as JSON: a browser sends that media type to another origin only
/// after a preflight.
async fn read(state: &AppState, headers: &HeaderMap, body: Body) -> Result<Bytes, HttpError> {
    if !is_json(headers) {
        let message = "the Content-Type must be application/json in UTF-8";
        return Err(HttpError::with(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if is_encoded(headers) {
        return Err(HttpError::encoded_body());
    }
    let bytes = body::read(body, state.body_limit, state.body_timeout).await;
    bytes.map_err(|error| {
        let (status, message) = match error {
            BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
            BodyError::Broken => {
                (StatusCode::BAD_REQUEST, "the body ended early or its chunks are malformed")
            }
        };
        HttpError::with(status, message)
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    ContentType::of(headers)
        .is_some_and(|content_type| content_type.is("application/json") && content_type.is_utf8())
}

#[cfg(test)]
mod tests {
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    fn content_type(text: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, text.parse().unwrap());
        is_json(&headers)
    }

    #[test]
    fn media_types_of_simple_requests_are_rejected() {
        for text in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(content_type(text), "{text}");
        }
        for text in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "text/plain; application/json",
            "application/json; charset=utf-16",
            "application/graphql",
            "",
        ] {
            assert!(!content_type(text), "{text}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
