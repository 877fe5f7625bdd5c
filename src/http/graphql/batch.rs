//! A batch: a list of operations in one POST.

use std::sync::Arc;

use async_graphql::ServerError;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::caller::AuthenticatedCaller;
use super::execute::{RequestOptions, deadline, reject, run};
use super::media_type::AcceptedMedia;
use super::metered_response::MeteredResponse;
use super::prepare::{PreparedOperation, not_a_subscription, prepare};
use super::request::GraphqlRequest;
use super::response;
use crate::error::{Error, ErrorCode, RequestErrors};
use crate::graphql::Cost;
use crate::http::http_error::HttpError;
use crate::http::state::AppState;
use crate::http::state::graphql::limits::{at_most, check_cost};

/// An operation of a batch that is ready to run, or the errors that are its response.
type Prepared = Result<Box<PreparedOperation>, RequestErrors>;

/// Serves a batch. Its operations together must keep to the limits of one.
///
/// # Errors
/// 400 for an empty batch or where batching is disabled, 406 without a JSON media type, 429.
pub async fn serve_batch(
    state: &Arc<AppState>,
    caller: &AuthenticatedCaller,
    accepted: AcceptedMedia,
    headers: &HeaderMap,
    batch: Vec<GraphqlRequest>,
) -> Result<Response, HttpError> {
    if !state.graphql.batching {
        return Err(bad_request("the body must be a JSON object; batching is disabled"));
    }
    let Some(media) = accepted.media else {
        let message = "a batch is answered in JSON, which the client does not accept";
        return Err(HttpError::with(StatusCode::NOT_ACCEPTABLE, message));
    };
    if batch.is_empty() {
        return Err(bad_request("the batch must contain at least one operation"));
    }
    let rejected = |error: ServerError| response::one(media, reject(state, &caller.context, error));
    if let Err(error) = at_most("batch", batch.len(), state.graphql.current().limits.batch) {
        return Ok(rejected(error));
    }
    // The first operation was counted when the caller was authenticated.
    caller.count_operations(state, u32::try_from(batch.len() - 1).unwrap_or(u32::MAX))?;
    let mut prepared = Vec::with_capacity(batch.len());
    for request in batch {
        let operation = prepare(state, caller, &caller.context, request).await;
        prepared.push(operation.and_then(not_a_subscription));
    }
    if let Err(error) = check_sum(state, &prepared) {
        return Ok(rejected(error));
    }
    Ok(response::batch(media, run_all(state, caller, headers, prepared).await))
}

fn bad_request(message: &'static str) -> HttpError {
    Error::new(ErrorCode::BadRequest, message).into()
}

fn check_sum(state: &AppState, prepared: &[Prepared]) -> Result<(), ServerError> {
    let current = state.graphql.current();
    let limits = &current.limits;
    let ready = || prepared.iter().flatten();
    at_most("tokens", ready().map(|prepared| prepared.tokens).sum(), limits.tokens)?;
    let cost = ready().map(|prepared| prepared.cost).fold(Cost::default(), Cost::and);
    check_cost(limits, &cost)
}

/// Runs the operations in sequence, since an operation may depend on a mutation before it.
async fn run_all(
    state: &Arc<AppState>,
    caller: &AuthenticatedCaller,
    headers: &HeaderMap,
    prepared: Vec<Prepared>,
) -> Vec<MeteredResponse> {
    let deadline = deadline(state);
    let options = RequestOptions::from_headers(headers);
    let mut responses = Vec::with_capacity(prepared.len());
    for prepared in prepared {
        responses.push(match prepared {
            Ok(prepared) => run(state, &caller.context, prepared, deadline, &options).await,
            Err(errors) => reject(state, &caller.context, errors),
        });
    }
    responses
}
