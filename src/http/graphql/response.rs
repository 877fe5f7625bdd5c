//! GraphQL responses: their format (GraphQL, section 7), the same for every transport, and how they go
//! over HTTP.
//!
//! Not the `GraphQLResponse` of `async-graphql-axum`: it knows one media type and status 200 alone,
//! and writes `"data": null` where nothing was executed
//! (`docs/decisions/0005-async-graphql-axum.md`).

use async_graphql::{Response as GraphqlResponse, Value};
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::media_type::MediaType;
use super::metered_response::{MeteredResponse, buffer, http_response};
use super::operation_summary::OperationSummary;
use crate::auth::RequestId;
use crate::error::{Error, ErrorCode, code_of, set_code};
use crate::graphql::write_json;
use crate::http::compression::{Encoded, encode};
use crate::http::json_reply::DATABASE_RETRY_AFTER;
use crate::http::state::AppState;

/// Completes the errors of a response: each gets a code and the request id, hidden causes are
/// logged, and at most `errors_max` are kept.
pub fn finalize(
    request_id: &RequestId,
    errors_max: usize,
    mut response: GraphqlResponse,
) -> GraphqlResponse {
    for error in &mut response.errors {
        if let Some(own) = error.source::<Error>() {
            own.log_cause();
        }
        if code_of(error).is_none() {
            // Only errors of the library itself have no code: values that do not fit their type.
            set_code(error, ErrorCode::BadUserInput);
        }
        if let Some(extensions) = &mut error.extensions {
            extensions.set("requestId", request_id.as_str());
        }
    }
    let omitted = response.errors.len().saturating_sub(errors_max);
    if omitted > 0 {
        response.errors.truncate(errors_max);
        response.extensions.insert("errorsOmitted".to_owned(), omitted.into());
    }
    response
}

/// Whether the request was rejected before anything of it was executed: no error has a path.
pub fn nothing_executed(response: &GraphqlResponse) -> bool {
    !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}

/// A response as JSON. Without `data` if nothing was executed (GraphQL, section 7.1); the library
/// would write `"data": null`.
pub struct ResponseBody<'a>(pub &'a GraphqlResponse);

impl ResponseBody<'_> {
    /// Writes the body.
    pub fn write(&self, to: &mut Vec<u8>) {
        let start = to.len();
        if !nothing_executed(self.0) {
            to.extend_from_slice(b",\"data\":");
            write_json(&self.0.data, to);
        }
        if !self.0.errors.is_empty() {
            to.extend_from_slice(b",\"errors\":");
            write_serialized(&self.0.errors, to);
        }
        if !self.0.extensions.is_empty() {
            to.extend_from_slice(b",\"extensions\":");
            write_serialized(&self.0.extensions, to);
        }
        // A response has data or errors, so there is a comma in place of the brace.
        to[start] = b'{';
        to.push(b'}');
    }
}

/// A value that can always be written: its keys are text and its numbers finite.
fn write_serialized(value: &impl Serialize, to: &mut Vec<u8>) {
    serde_json::to_writer(to, value).unwrap_or_default();
}

/// The extension of a response that says which operations it answers.
#[derive(Clone)]
pub struct Summaries(pub Vec<OperationSummary>);

/// The response to one operation.
pub fn one(media: MediaType, metered: MeteredResponse) -> Response {
    respond(media, metered, |bytes| Encoded { bytes, coding: None })
}

/// The response to a query. If it failed only because the database was unavailable, the status says
/// so in both media types: a query can be repeated safely. Compressed if the client accepts it:
/// only mutations return secrets.
pub async fn query(
    state: &AppState,
    media: MediaType,
    metered: MeteredResponse,
    headers: &HeaderMap,
) -> Response {
    let headers = headers.clone();
    let respond = move |metered| query_response(media, metered, &headers);
    metered.serialize(&state.budgets, respond).await
}

fn query_response(media: MediaType, metered: MeteredResponse, headers: &HeaderMap) -> Response {
    let unavailable = |error| code_of(error) == Some(ErrorCode::DatabaseUnavailable);
    let failed =
        metered.response.errors.iter().any(unavailable) && is_empty(&metered.response.data);
    let mut response = respond(media, metered, |bytes| encode(headers, bytes));
    if failed {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, DATABASE_RETRY_AFTER);
    }
    response
}

fn respond(
    media: MediaType,
    metered: MeteredResponse,
    encode: impl FnOnce(Vec<u8>) -> Encoded,
) -> Response {
    let MeteredResponse { response, size, permit, summary } = metered;
    let status = status(media, &response);
    let mut bytes = buffer(size);
    ResponseBody(&response).write(&mut bytes);
    drop(response);
    let Encoded { bytes, coding } = encode(bytes);
    let permits = permit.into_iter().collect();
    let mut response = http_response(status, media.content_type(), bytes, permits);
    if let Some(coding) = coding {
        response.headers_mut().insert(CONTENT_ENCODING, coding);
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        // In seconds. Permits may become free at any moment.
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response.extensions_mut().insert(Summaries(summary.into_iter().collect()));
    no_store(response)
}

fn is_empty(data: &Value) -> bool {
    match data {
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        data => *data == Value::Null,
    }
}

/// The response to a batch: a list in the order of the operations, with status 200, since each
/// operation succeeds or fails by itself.
pub fn batch(media: MediaType, metered: Vec<MeteredResponse>) -> Response {
    let size = metered.iter().map(|metered| metered.size).sum();
    let mut bytes = buffer(size);
    let mut before = b'[';
    for metered in &metered {
        bytes.push(before);
        ResponseBody(&metered.response).write(&mut bytes);
        before = b',';
    }
    bytes.push(b']');
    let (permits, summaries): (Vec<_>, Vec<_>) =
        metered.into_iter().map(|metered| (metered.permit, metered.summary)).unzip();
    let permits = permits.into_iter().flatten().collect();
    let mut response = http_response(StatusCode::OK, media.content_type(), bytes, permits);
    response.extensions_mut().insert(Summaries(summaries.into_iter().flatten().collect()));
    no_store(response)
}

/// The status of a response. With `application/graphql-response+json` it tells whether anything was
/// executed; with `application/json` it is 200 for every well-formed request (GraphQL over HTTP,
/// sections 6.4.1 and 6.4.2). Forbidden, malformed and rate-limited requests have their status in
/// both; internal errors do not, since clients that retry on 5xx would repeat a mutation that may
/// have taken effect.
fn status(media: MediaType, response: &GraphqlResponse) -> StatusCode {
    if !nothing_executed(response) {
        return StatusCode::OK;
    }
    let code =
        response.errors.first().and_then(code_of).unwrap_or(ErrorCode::GraphqlValidationFailed);
    let in_both =
        matches!(code, ErrorCode::Forbidden | ErrorCode::BadRequest | ErrorCode::RateLimited);
    match media {
        MediaType::Json if !in_both => StatusCode::OK,
        _ => StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Forbids caches to store a response: it is for one caller only.
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::request_error_of;

    #[test]
    fn errors_beyond_the_limit_are_counted_and_omitted() {
        let errors = vec![request_error_of(&Error::not_found("value")); 5_000];
        let id = RequestId::parse("x").unwrap();
        let response = finalize(&id, 20, GraphqlResponse::from_errors(errors));
        assert_eq!(response.errors.len(), 20);
        assert_eq!(response.extensions["errorsOmitted"], 4_980.into());
    }

    /// Why the library's serialization is not used. If this fails, it may be worth another look.
    #[test]
    fn library_writes_data_where_nothing_was_executed() {
        let error = request_error_of(&Error::not_found("value"));
        let response = GraphqlResponse::from_errors(vec![error]);
        let mut ours = Vec::new();
        ResponseBody(&response).write(&mut ours);
        let ours: serde_json::Value = serde_json::from_slice(&ours).unwrap();
        let theirs = serde_json::to_value(&response).unwrap();
        assert!(ours.get("data").is_none());
        assert!(theirs.get("data").is_some_and(serde_json::Value::is_null));
    }
}
