//! Outcomes as HTTP answers.

use async_graphql::{Response as GraphqlResponse, Value};
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use super::super::AppState;
use super::super::compression::{Encoded, encode};
use super::super::reply::UNAVAILABLE_FOR;
use super::media_type::MediaType;
use super::metered_response::{MeteredResponse, respond, write};
use super::outcome::{Written, code_of, not_executed};
use crate::error::ErrorCode;

/// The answer to one operation.
pub fn one(media: MediaType, executed: MeteredResponse) -> Response {
    answered(media, executed, |bytes| Encoded { bytes, coding: None })
}

fn answered(
    media: MediaType,
    executed: MeteredResponse,
    encode: impl FnOnce(Vec<u8>) -> Encoded,
) -> Response {
    let MeteredResponse { outcome, size, permit } = executed;
    let status = status(media, &outcome);
    let bytes = write(&Written(&outcome), size);
    drop(outcome);
    let Encoded { bytes, coding } = encode(bytes);
    let mut response = respond(status, media.content_type(), bytes, permit.into_iter().collect());
    if let Some(coding) = coding {
        response.headers_mut().insert(CONTENT_ENCODING, coding);
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        // In whole seconds. Room may come at any moment.
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    no_store(response)
}

/// The same for a query. One that only failed for the database says so with its status, whatever
/// the media type: a query can be repeated safely. It is compressed if the request's headers ask
/// for it: secrets are shown by mutations alone.
pub async fn query(
    state: &AppState,
    media: MediaType,
    executed: MeteredResponse,
    headers: &HeaderMap,
) -> Response {
    let headers = headers.clone();
    executed.write(&state.budgets, move |executed| written(media, executed, &headers)).await
}

fn written(media: MediaType, executed: MeteredResponse, headers: &HeaderMap) -> Response {
    let unavailable = |error| code_of(error) == Some(ErrorCode::DatabaseUnavailable);
    let failed =
        executed.outcome.errors.iter().any(unavailable) && is_empty(&executed.outcome.data);
    let mut response = answered(media, executed, |bytes| encode(headers, bytes));
    if failed {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, UNAVAILABLE_FOR);
    }
    response
}

fn is_empty(data: &Value) -> bool {
    match data {
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        data => *data == Value::Null,
    }
}

/// The answer to a batch: a list in the order of the operations, with status 200, since each has
/// its own fate.
pub fn batch(media: MediaType, executed: Vec<MeteredResponse>) -> Response {
    let size = executed.iter().map(|executed| executed.size).sum();
    let written: Vec<_> = executed.iter().map(|executed| Written(&executed.outcome)).collect();
    let bytes = write(&written, size);
    let permits = executed.into_iter().filter_map(|executed| executed.permit).collect();
    no_store(respond(StatusCode::OK, media.content_type(), bytes, permits))
}

/// `application/graphql-response+json` has a status that tells whether anything was executed;
/// `application/json` is 200 for every well-formed request (GraphQL over HTTP, sections 6.4.1 and
/// 6.4.2). What was forbidden or malformed is said by both; a fault of ours is not, since clients
/// that know 5xx alone would repeat a mutation that may have been made.
fn status(media: MediaType, outcome: &GraphqlResponse) -> StatusCode {
    if !not_executed(outcome) {
        return StatusCode::OK;
    }
    let code =
        outcome.errors.first().and_then(code_of).unwrap_or(ErrorCode::GraphqlValidationFailed);
    let told_by_both =
        matches!(code, ErrorCode::Forbidden | ErrorCode::BadRequest | ErrorCode::RateLimited);
    match media {
        MediaType::Json if !told_by_both => StatusCode::OK,
        _ => StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// What was told to one caller is nobody else's.
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
