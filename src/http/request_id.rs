//! The id of a request, in every log line and audit record, beside the one that the client sent.
//!
//! Not `tower-http`'s `SetRequestIdLayer`, which takes over the client's id: ours stays unique
//! even where clients repeat theirs.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::Response;
use tracing::Instrument;

use super::graphql::{OperationSummary, Summaries};
use super::paths;
use super::server_span::ServerSpan;
use super::state::AppState;
use crate::auth::RequestId;
use crate::ids::random_uuid;

/// The longest path and method in a log line, in bytes: a caller chooses both.
const PATH_MAX: usize = 256;
const METHOD_MAX: usize = 16;

/// The header of requests and responses.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Assigns the request an id, in addition to the client's if that is well-formed, and handles it in
/// a span with both.
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
        method = cut(request.method().as_str(), METHOD_MAX),
        path = &*logged_path(request.uri().path()),
        client = tracing::field::Empty,
        tenant = tracing::field::Empty,
    );
    request.extensions_mut().insert(id.clone());
    let trace = ServerSpan::begin(&request, id.own());
    let method = request.method().clone();
    let started = state.authorizer.monotonic();
    let handled = async {
        let mut response = answer(request).await;
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        trace.complete(&response);
        complete(state, method, &mut response, state.authorizer.monotonic().since(started));
        response
    };
    trace.within(handled.instrument(span)).await
}

/// The path as log lines have it: its beginning, without the token of a one-time link, which is a
/// credential.
fn logged_path(path: &str) -> Cow<'_, str> {
    let link = format!("{}/", paths::INVITE);
    match path.to_ascii_lowercase().find(&link) {
        Some(start) => Cow::Owned(format!("{}{link}{{token}}", cut(&path[..start], PATH_MAX))),
        None => Cow::Borrowed(cut(path, PATH_MAX)),
    }
}

/// The beginning of a text, up to that many bytes.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Writes the one line of the request, and counts it and its operations.
fn complete(state: &AppState, method: Method, response: &mut Response, took: Duration) {
    let status = response.status().as_u16();
    state.metrics.count_http_request(method_label(&method), status);
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let Some(Summaries(operations)) = response.extensions_mut().remove() else {
        tracing::info!(status, millis, "request completed");
        return;
    };
    let transport = if method == Method::GET { "get" } else { "post" };
    for operation in &operations {
        operation.count(state, transport, took);
    }
    let (first, further) = match operations.as_slice() {
        [first, further @ ..] => (Some(first), further),
        [] => (None, [].as_slice()),
    };
    tracing::info!(
        status,
        millis,
        operation = first.and_then(|first| first.name.as_deref()),
        kind = first.map(|first| first.kind),
        codes = first.and_then(OperationSummary::codes),
        cost = operations.iter().map(|one| one.cost).sum::<u64>(),
        upstream_calls = operations.iter().map(|one| one.upstream_calls).sum::<u64>(),
        batch = (!further.is_empty()).then_some(operations.len()),
        "request completed"
    );
}

/// A closed set: a method is any word that a client sends.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_of_a_one_time_link_is_not_logged() {
        assert_eq!(logged_path("/invite/abc"), "/invite/{token}");
        assert_eq!(logged_path("/x/Invite/abc/d"), "/x/invite/{token}");
        assert_eq!(logged_path("/login"), "/login");
    }

    #[test]
    fn path_of_any_length_has_a_short_line() {
        let path = format!("/{}", "ä".repeat(30_000));
        assert!(logged_path(&path).len() <= PATH_MAX);
        let link = format!("{path}/invite/abc");
        let logged = logged_path(&link);
        assert!(logged.len() < PATH_MAX + 20 && logged.ends_with("/invite/{token}"));
    }
}
