//! POST: one operation, or a batch where it is on.

use std::sync::Arc;

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;

use super::super::AppState;
use super::super::body::{self, BodyError};
use super::super::content_type::{ContentType, is_encoded};
use super::super::reply::HttpError;
use super::caller::{AuthenticatedCaller, credential_headers};
use super::execute::{PreparedOperation, RequestOptions, deadline, prepare, refused, run};
use super::limits::{at_most, check_cost};
use super::media_type::AcceptedMedia;
use super::metered_response::MeteredResponse;
use super::outcome::{RequestErrors, failure};
use super::request::{self, GraphqlRequest};
use super::{response, sse};
use crate::error::{Error, ErrorCode};
use crate::graphql::Cost;

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
    match request::read_body(&bytes, state.graphql.limits.json_nesting)? {
        request::Body::One(request) => {
            one(state, caller, accepted, headers, request, Reads::AndWrites).await
        }
        // Boxed, so that a single operation does not carry the room that a batch takes.
        request::Body::Batch(batch) => many(state, &caller, accepted, headers, batch).boxed().await,
    }
}

/// The body, if it is JSON that a browser cannot send across origins without asking first.
async fn read(state: &AppState, headers: &HeaderMap, body: Body) -> Result<Bytes, HttpError> {
    if !is_json(headers) {
        return Err(HttpError::with(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be application/json in UTF-8",
        ));
    }
    if is_encoded(headers) {
        return Err(HttpError::encoded_body());
    }
    body::read(body, state.body_limit, state.body_timeout).await.map_err(|error| match error {
        BodyError::TooLarge => {
            HttpError::with(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
        }
        BodyError::TooSlow => {
            HttpError::with(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")
        }
        BodyError::Broken => HttpError::with(
            StatusCode::BAD_REQUEST,
            "the body broke off, or its chunks are malformed",
        ),
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    ContentType::of(headers)
        .is_some_and(|content_type| content_type.is("application/json") && content_type.is_utf8())
}

/// What an HTTP method may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// GET.
    Alone,
    /// POST.
    AndWrites,
}

/// Answers one operation, in the form that the caller takes.
///
/// # Errors
/// 405 for a mutation where there are reads alone.
pub async fn one(
    state: &Arc<AppState>,
    caller: Box<AuthenticatedCaller>,
    accepted: AcceptedMedia,
    headers: &HeaderMap,
    request: GraphqlRequest,
    reads: Reads,
) -> Result<Response, HttpError> {
    let request_id = caller.context.request_id().clone();
    let prepared = prepare(state, &caller, &caller.context, request).await;
    if reads == Reads::Alone
        && prepared.as_ref().is_ok_and(|prepared| prepared.kind == OperationType::Mutation)
    {
        return Err(HttpError::mutation_by_get());
    }
    let streams =
        prepared.as_ref().is_ok_and(|prepared| prepared.kind == OperationType::Subscription);
    let Some(media) = accepted.media.filter(|_| !(streams && accepted.events)) else {
        return sse::serve(
            state.clone(),
            caller.into_session(credential_headers(headers)),
            prepared,
            RequestOptions::from_headers(headers),
        );
    };
    let outcome = match prepared.and_then(not_a_subscription) {
        Ok(prepared) => {
            let is_query = prepared.kind == OperationType::Query;
            let outcome = run(
                state,
                &caller.context,
                prepared,
                deadline(state),
                &RequestOptions::from_headers(headers),
            )
            .await;
            if is_query {
                return Ok(response::query(state, media, outcome, headers).await);
            }
            outcome
        }
        Err(error) => refused(state, &request_id, error).into(),
    };
    Ok(response::one(media, outcome))
}

fn not_a_subscription(
    prepared: Box<PreparedOperation>,
) -> Result<Box<PreparedOperation>, RequestErrors> {
    match prepared.kind {
        OperationType::Subscription => {
            let message = "a subscription needs a WebSocket, or `Accept: text/event-stream`";
            Err(failure(ErrorCode::BadRequest, message).into())
        }
        _ => Ok(prepared),
    }
}

async fn many(
    state: &Arc<AppState>,
    caller: &AuthenticatedCaller,
    accepted: AcceptedMedia,
    headers: &HeaderMap,
    batch: Vec<GraphqlRequest>,
) -> Result<Response, HttpError> {
    if !state.graphql.batching {
        return Err(Error::new(
            ErrorCode::BadRequest,
            "the body must be one JSON object: batching is off",
        )
        .into());
    }
    let Some(media) = accepted.media else {
        return Err(HttpError::with(StatusCode::NOT_ACCEPTABLE, "a batch is answered in JSON"));
    };
    let request_id = caller.context.request_id();
    let further = batch.len().saturating_sub(1);
    let within = at_most("batch", batch.len(), state.graphql.limits.batch);
    if batch.is_empty() {
        return Err(Error::new(ErrorCode::BadRequest, "the batch is empty").into());
    }
    if let Err(error) = within {
        return Ok(response::one(media, refused(state, request_id, error).into()));
    }
    caller.take(state, u32::try_from(further).unwrap_or(u32::MAX))?;
    let mut prepared = Vec::with_capacity(batch.len());
    for request in batch {
        prepared.push(
            prepare(state, caller, &caller.context, request).await.and_then(not_a_subscription),
        );
    }
    if let Err(error) = check_sum(state, &prepared) {
        return Ok(response::one(media, refused(state, request_id, error).into()));
    }
    Ok(response::batch(media, run_all(state, caller, headers, prepared).await))
}

fn check_sum(
    state: &AppState,
    prepared: &[Result<Box<PreparedOperation>, RequestErrors>],
) -> Result<(), ServerError> {
    let ready = || prepared.iter().flatten();
    at_most("tokens", ready().map(|prepared| prepared.tokens).sum(), state.graphql.limits.tokens)?;
    check_cost(
        &state.graphql.limits,
        &ready().map(|prepared| prepared.cost).fold(Cost::default(), Cost::and),
    )
}

/// One after the other, since a mutation may be what the next one builds on.
async fn run_all(
    state: &Arc<AppState>,
    caller: &AuthenticatedCaller,
    headers: &HeaderMap,
    prepared: Vec<Result<Box<PreparedOperation>, RequestErrors>>,
) -> Vec<MeteredResponse> {
    let (deadline, options) = (deadline(state), RequestOptions::from_headers(headers));
    let mut outcomes = Vec::with_capacity(prepared.len());
    for prepared in prepared {
        outcomes.push(match prepared {
            Ok(prepared) => run(state, &caller.context, prepared, deadline, &options).await,
            Err(error) => refused(state, caller.context.request_id(), error).into(),
        });
    }
    outcomes
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
    fn what_a_browser_sends_unasked_is_no_json() {
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
