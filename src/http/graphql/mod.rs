//! The GraphQL endpoint. Each file imports only from those before it: `caller` authenticates,
//! `request` reads, `prepare` validates an operation, `response` formats responses, `execute`
//! runs the operation; `batch`, `sse` and `ws` carry what is not one operation in one response.

mod audit_records;
mod batch;
mod caller;
mod execute;
mod media_type;
mod metered_response;
mod metering;
mod operation_span;
mod operation_summary;
mod prepare;
mod request;
mod response;
mod sse;
mod stream_session;
mod stream_slots;
mod subscription;
mod ws;

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::Extension;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State, WebSocketUpgrade};
use axum::http::header::{ALLOW, UPGRADE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::http_error::HttpError;
use super::json_reply::JSON;
use super::state::AppState;
use crate::auth::RequestId;
use batch::serve_batch;
use caller::{AuthenticatedCaller, credential_headers};
use execute::{RequestOptions, deadline, reject, run};
use media_type::{AcceptedMedia, MediaType, accepted};
use prepare::{not_a_subscription, prepare};
use request::{GraphqlRequest, RequestBody, read_post, read_url};
use stream_session::StreamSession;

pub use metering::Metering;
pub use operation_summary::OperationSummary;
pub use response::Summaries;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// Serves `/graphql`. The caller is authenticated before the request is read, so that an anonymous
/// caller learns nothing of the schema.
pub async fn handle(
    State(state): State<Arc<AppState>>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let accepted = accepted(&parts.headers);
    let served = serve(&state, &request_id, accepted, &mut parts, body).await;
    let mut response = served.unwrap_or_else(|error| refuse(error, &request_id, accepted));
    let vary = HeaderValue::from_static("Authorization, X-Tenant-Context, Accept, Accept-Encoding");
    response.headers_mut().insert(VARY, vary);
    response
}

fn refuse(error: HttpError, request_id: &RequestId, accepted: AcceptedMedia) -> Response {
    error.into_response(request_id, accepted.media.map_or(JSON, MediaType::content_type))
}

async fn serve(
    state: &Arc<AppState>,
    request_id: &RequestId,
    accepted: AcceptedMedia,
    parts: &mut Parts,
    body: Body,
) -> Result<Response, HttpError> {
    if parts.method == Method::OPTIONS {
        return Ok((StatusCode::NO_CONTENT, [(ALLOW, METHODS)]).into_response());
    }
    if parts.method == Method::GET && parts.headers.contains_key(UPGRADE) {
        // Boxed: keeps the cold path out of the hot future's size.
        return upgrade(state, request_id, parts).boxed().await;
    }
    let caller =
        Box::new(AuthenticatedCaller::authenticate(state, request_id, &parts.headers).await?);
    let quotas = caller.quotas;
    let reader = caller.clone();
    let mut response = match respond(state, caller, accepted, parts, body).await {
        Ok(response) => {
            metered_response::watch(state, &response, parts.extensions.get(), || {
                StreamSession::new(*reader, credential_headers(&parts.headers))
            });
            response
        }
        Err(error) => refuse(error, request_id, accepted),
    };
    // The error of an exhausted quota has set them already.
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        quotas.write(response.headers_mut());
    }
    Ok(response)
}

async fn upgrade(
    state: &Arc<AppState>,
    request_id: &RequestId,
    parts: &mut Parts,
) -> Result<Response, HttpError> {
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(|_| {
        HttpError::with(StatusCode::BAD_REQUEST, "the request is not a valid WebSocket upgrade")
    })?;
    ws::upgrade(state, request_id, parts, upgrade).await
}

async fn respond(
    state: &Arc<AppState>,
    caller: Box<AuthenticatedCaller>,
    accepted: AcceptedMedia,
    parts: &Parts,
    body: Body,
) -> Result<Response, HttpError> {
    let length = parts.uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length > state.graphql.current().limits.url {
        let message = "the URL is too long; send a POST request";
        return Err(HttpError::with(StatusCode::URI_TOO_LONG, message));
    }
    let read_only = is_read_only(&parts.method);
    if !read_only && parts.method != Method::POST {
        return Err(HttpError::method_not_allowed(METHODS));
    }
    if accepted.media.is_none() && !accepted.events {
        let message = "the client accepts none of application/graphql-response+json, \
            application/json and text/event-stream";
        return Err(HttpError::with(StatusCode::NOT_ACCEPTABLE, message));
    }
    if read_only {
        let query = parts.uri.query().unwrap_or_default();
        let request = read_url(query, state.graphql.current().limits.json_nesting)?;
        return serve_one(state, caller, accepted, parts, request).await;
    }
    match read_post(state, &parts.headers, body).await? {
        RequestBody::One(request) => serve_one(state, caller, accepted, parts, request).await,
        // Boxed: keeps the cold path out of the hot future's size.
        RequestBody::Batch(batch) => {
            serve_batch(state, &caller, accepted, &parts.headers, batch).boxed().await
        }
    }
}

/// Whether a request of that method may only read (GraphQL over HTTP, section 5.3).
///
/// A page of another origin cannot send such a request: it needs `Authorization` or `X-CSRF-Token`,
/// which browsers do not add by themselves and send to another origin only after a preflight.
fn is_read_only(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// Serves one operation in the form that the client accepts.
///
/// # Errors
/// 405 for a mutation by GET, 429 for too many streams.
async fn serve_one(
    state: &Arc<AppState>,
    caller: Box<AuthenticatedCaller>,
    accepted: AcceptedMedia,
    parts: &Parts,
    request: GraphqlRequest,
) -> Result<Response, HttpError> {
    let headers = &parts.headers;
    let prepared = prepare(state, &caller, &caller.context, request).await;
    let kind = prepared.as_ref().ok().map(|prepared| prepared.kind);
    if is_read_only(&parts.method) && kind == Some(OperationType::Mutation) {
        return Err(HttpError::mutation_by_get());
    }
    let streams = kind == Some(OperationType::Subscription);
    let options = RequestOptions::from_headers(headers);
    let Some(media) = accepted.media.filter(|_| !(streams && accepted.events)) else {
        let session = StreamSession::new(*caller, credential_headers(headers));
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
