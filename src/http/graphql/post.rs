//! POST: one operation, or a batch where it is on.

use std::sync::Arc;

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;
use tokio::time::Instant;

use super::super::Door;
use super::super::body::{self, BodyError};
use super::super::content_type::{ContentType, is_encoded};
use super::super::reply::Refused;
use super::accept::Accepted;
use super::asked::{self, Asked};
use super::caller::{Entered, presented};
use super::execute::{Prepared, Wishes, prepare, refused, run};
use super::executed::Executed;
use super::limits::{at_most, check_cost};
use super::outcome::{RequestErrors, failure};
use super::{answer, sse};
use crate::error::{Error, ErrorCode};
use crate::graphql::Cost;

/// Serves a POST.
///
/// # Errors
/// 415, 413, 408, 400 and 429.
pub async fn serve(
    door: &Arc<Door>,
    caller: Box<Entered>,
    accepted: Accepted,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let bytes = read(door, headers, body).await?;
    match asked::read_body(&bytes, door.graphql.limits.json_nesting)? {
        asked::Body::One(asked) => {
            one(door, caller, accepted, headers, asked, Reads::AndWrites).await
        }
        // Boxed, so that a single operation does not carry the room that a batch takes.
        asked::Body::Batch(batch) => many(door, &caller, accepted, headers, batch).boxed().await,
    }
}

/// The body, if it is JSON that a browser cannot send across origins without asking first.
async fn read(door: &Door, headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
    if !is_json(headers) {
        return Err(Refused::with(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be application/json in UTF-8",
        ));
    }
    if is_encoded(headers) {
        return Err(Refused::encoded_body());
    }
    body::read(body, door.body_limit, door.body_timeout).await.map_err(|error| match error {
        BodyError::TooLarge => {
            Refused::with(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
        }
        BodyError::TooSlow => {
            Refused::with(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")
        }
        BodyError::Broken => Refused::with(
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
    door: &Arc<Door>,
    caller: Box<Entered>,
    accepted: Accepted,
    headers: &HeaderMap,
    asked: Asked,
    reads: Reads,
) -> Result<Response, Refused> {
    let request_id = caller.context.request_id().clone();
    let prepared = prepare(door, &caller, &caller.context, asked).await;
    if reads == Reads::Alone
        && prepared.as_ref().is_ok_and(|prepared| prepared.kind == OperationType::Mutation)
    {
        return Err(Refused::mutation_by_get());
    }
    let streams =
        prepared.as_ref().is_ok_and(|prepared| prepared.kind == OperationType::Subscription);
    let Some(media) = accepted.media.filter(|_| !(streams && accepted.events)) else {
        return sse::serve(
            door.clone(),
            caller.stay(presented(headers)),
            prepared,
            Wishes::of(headers),
        );
    };
    let outcome = match prepared.and_then(not_a_subscription) {
        Ok(prepared) => {
            let is_query = prepared.kind == OperationType::Query;
            let outcome =
                run(door, &caller.context, prepared, deadline(door), &Wishes::of(headers)).await;
            if is_query {
                return Ok(answer::query(media, outcome, headers));
            }
            outcome
        }
        Err(error) => refused(door, &request_id, error).into(),
    };
    Ok(answer::one(media, outcome))
}

fn not_a_subscription(prepared: Box<Prepared>) -> Result<Box<Prepared>, RequestErrors> {
    match prepared.kind {
        OperationType::Subscription => {
            let message = "a subscription needs a WebSocket, or `Accept: text/event-stream`";
            Err(failure(ErrorCode::BadRequest, message).into())
        }
        _ => Ok(prepared),
    }
}

/// When an operation that begins now must have ended.
pub fn deadline(door: &Door) -> Instant {
    Instant::now() + door.graphql.limits.execution
}

async fn many(
    door: &Arc<Door>,
    caller: &Entered,
    accepted: Accepted,
    headers: &HeaderMap,
    batch: Vec<Asked>,
) -> Result<Response, Refused> {
    if !door.graphql.batching {
        return Err(Error::new(
            ErrorCode::BadRequest,
            "the body must be one JSON object: batching is off",
        )
        .into());
    }
    let Some(media) = accepted.media else {
        return Err(Refused::with(StatusCode::NOT_ACCEPTABLE, "a batch is answered in JSON"));
    };
    let request_id = caller.context.request_id();
    let further = batch.len().saturating_sub(1);
    let within = at_most("batch", batch.len(), door.graphql.limits.batch);
    if batch.is_empty() {
        return Err(Error::new(ErrorCode::BadRequest, "the batch is empty").into());
    }
    if let Err(error) = within {
        return Ok(answer::one(media, refused(door, request_id, error).into()));
    }
    caller.take(door, u32::try_from(further).unwrap_or(u32::MAX))?;
    let mut prepared = Vec::with_capacity(batch.len());
    for asked in batch {
        prepared
            .push(prepare(door, caller, &caller.context, asked).await.and_then(not_a_subscription));
    }
    if let Err(error) = check_sum(door, &prepared) {
        return Ok(answer::one(media, refused(door, request_id, error).into()));
    }
    Ok(answer::batch(media, run_all(door, caller, headers, prepared).await))
}

fn check_sum(
    door: &Door,
    prepared: &[Result<Box<Prepared>, RequestErrors>],
) -> Result<(), ServerError> {
    let ready = || prepared.iter().flatten();
    at_most("tokens", ready().map(|prepared| prepared.tokens).sum(), door.graphql.limits.tokens)?;
    check_cost(
        &door.graphql.limits,
        &ready().map(|prepared| prepared.cost).fold(Cost::default(), Cost::and),
    )
}

/// One after the other, since a mutation may be what the next one builds on.
async fn run_all(
    door: &Arc<Door>,
    caller: &Entered,
    headers: &HeaderMap,
    prepared: Vec<Result<Box<Prepared>, RequestErrors>>,
) -> Vec<Executed> {
    let (deadline, wishes) = (deadline(door), Wishes::of(headers));
    let mut outcomes = Vec::with_capacity(prepared.len());
    for prepared in prepared {
        outcomes.push(match prepared {
            Ok(prepared) => run(door, &caller.context, prepared, deadline, &wishes).await,
            Err(error) => refused(door, caller.context.request_id(), error).into(),
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
