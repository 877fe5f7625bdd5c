//! One operation, answered in the form that the client accepts.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::http::HeaderMap;
use axum::response::Response;

use super::caller::{AuthenticatedCaller, credential_headers};
use super::deadline::deadline;
use super::execute::{RequestOptions, reject, run};
use super::media_type::AcceptedMedia;
use super::prepare::{PreparedOperation, prepare};
use super::request::GraphqlRequest;
use super::{response, sse};
use crate::error::ErrorCode;
use crate::http::http_error::HttpError;
use crate::http::state::AppState;
use crate::http::state::graphql::request_errors::{RequestErrors, request_error};

/// Whether the HTTP method of a request permits mutations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mutations {
    /// GET and HEAD.
    Forbidden,
    /// POST.
    Allowed,
}

/// Serves one operation.
///
/// # Errors
/// 405 for a mutation by GET, 429 for too many streams.
pub async fn serve_one(
    state: &Arc<AppState>,
    caller: Box<AuthenticatedCaller>,
    accepted: AcceptedMedia,
    headers: &HeaderMap,
    request: GraphqlRequest,
    mutations: Mutations,
) -> Result<Response, HttpError> {
    let prepared = prepare(state, &caller, &caller.context, request).await;
    let kind = prepared.as_ref().ok().map(|prepared| prepared.kind);
    if mutations == Mutations::Forbidden && kind == Some(OperationType::Mutation) {
        return Err(HttpError::mutation_by_get());
    }
    let streams = kind == Some(OperationType::Subscription);
    let options = RequestOptions::from_headers(headers);
    let Some(media) = accepted.media.filter(|_| !(streams && accepted.events)) else {
        let session = caller.into_session(credential_headers(headers));
        return sse::serve(state.clone(), session, prepared, options);
    };
    match prepared.and_then(not_a_subscription) {
        Ok(prepared) => {
            let executed = run(state, &caller.context, prepared, deadline(state), &options).await;
            if kind == Some(OperationType::Query) {
                return Ok(response::query(state, media, executed, headers).await);
            }
            Ok(response::one(media, executed))
        }
        Err(errors) => Ok(response::one(media, reject(state, &caller.context, errors))),
    }
}

/// Rejects a subscription where a single JSON response is expected.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn not_a_subscription(
    prepared: Box<PreparedOperation>,
) -> Result<Box<PreparedOperation>, RequestErrors> {
    if prepared.kind == OperationType::Subscription {
        let message = "subscriptions require a WebSocket or `Accept: text/event-stream`";
        return Err(request_error(ErrorCode::BadRequest, message).into());
    }
    Ok(prepared)
}
