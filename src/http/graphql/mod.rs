//! The GraphQL endpoint. A request reads from top to bottom: who calls, in which tenant, what they
//! ask, what they get.

mod audit_records;
mod caller;
mod documents;
mod execute;
mod get;
mod limits;
mod media_type;
mod metered_response;
mod metering;
mod outcome;
mod post;
mod request;
mod response;
mod sse;
mod subscription;
mod token_count;
mod trusted;
mod ws;

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State, WebSocketUpgrade};
use axum::http::header::{ALLOW, UPGRADE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::AppState;
use super::reply::{HttpError, JSON};
use crate::auth::RequestId;
use crate::config::{Config, Introspection, LimitsConfig};
use crate::error::{Error, Result};
use crate::graphql::{Executor, SchemaModel};
use caller::{AuthenticatedCaller, credential_headers};
use documents::DocumentCache;
use media_type::{AcceptedMedia, MediaType, accepted};
use trusted::TrustedDocuments;

pub use metering::Metering;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// What the endpoint executes, and within which limits.
pub struct GraphqlState {
    executor: Arc<dyn Executor>,
    limits: LimitsConfig,
    documents: DocumentCache,
    trusted: TrustedDocuments,
    introspection: bool,
    batching: bool,
    persisted_queries: bool,
}

impl GraphqlState {
    /// The endpoint over that schema.
    ///
    /// # Errors
    /// If the schema is not valid, or the file of trusted documents cannot be read.
    pub fn new(executor: Arc<dyn Executor>, config: &Config) -> Result<Self> {
        let own = &config.graphql;
        let introspection = own.introspection == Introspection::Authenticated;
        let model = SchemaModel::parse(&executor.sdl(), executor.scalars(), introspection);
        let model =
            model.map_err(|why| Error::internal(format!("the schema is not valid: {why}")))?;
        Ok(Self {
            executor,
            limits: config.limits.clone(),
            documents: DocumentCache::new(model, config.limits.clone(), own.document_cache),
            trusted: TrustedDocuments::load(
                own.trusted_documents.as_deref(),
                own.trusted_documents_mode,
            )?,
            introspection,
            batching: own.batching,
            persisted_queries: own.persisted_queries,
        })
    }
}

/// Serves `/graphql`. Who calls is settled before anything else is looked at, so that nothing of
/// the schema, not even whether a field exists, shows to somebody without a token.
pub async fn handle(
    State(state): State<Arc<AppState>>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let accepted = accepted(&parts.headers);
    let mut response = match serve(&state, &request_id, accepted, &mut parts, body).await {
        Ok(response) => response,
        Err(refused) => {
            refused.into_response(&request_id, accepted.media.map_or(JSON, MediaType::content_type))
        }
    };
    let vary = HeaderValue::from_static("Authorization, X-Tenant-Context, Accept, Accept-Encoding");
    response.headers_mut().insert(VARY, vary);
    response
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
        let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
        let upgrade = upgrade.map_err(|_| {
            HttpError::with(StatusCode::BAD_REQUEST, "this is no WebSocket upgrade")
        })?;
        // Boxed, so that a single request does not carry the room that an upgrade takes.
        return ws::upgrade(state, request_id, parts, upgrade).boxed().await;
    }
    let caller =
        Box::new(AuthenticatedCaller::authenticate(state, request_id, &parts.headers).await?);
    let quotas = caller.quotas;
    let who = caller.clone();
    let mut response = match answer(state, caller, accepted, parts, body).await {
        Ok(response) => {
            metered_response::watch(state, &response, parts.extensions.get(), || {
                who.into_session(credential_headers(&parts.headers))
            });
            response
        }
        Err(refused) => {
            refused.into_response(request_id, accepted.media.map_or(JSON, MediaType::content_type))
        }
    };
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        quotas.write(response.headers_mut());
    }
    Ok(response)
}

async fn answer(
    state: &Arc<AppState>,
    caller: Box<AuthenticatedCaller>,
    accepted: AcceptedMedia,
    parts: &Parts,
    body: Body,
) -> Result<Response, HttpError> {
    let length = parts.uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length > state.graphql.limits.url {
        return Err(HttpError::with(StatusCode::URI_TOO_LONG, "the URL is too long: send a POST"));
    }
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    if !reads && parts.method != Method::POST {
        return Err(HttpError::method_not_allowed(METHODS));
    }
    if accepted.media.is_none() && !accepted.events {
        let offered = "answers come as application/graphql-response+json, application/json or text/event-stream";
        return Err(HttpError::with(StatusCode::NOT_ACCEPTABLE, offered));
    }
    let headers: &HeaderMap = &parts.headers;
    match reads {
        true => get::serve(state, caller, accepted, headers, &parts.uri).await,
        false => post::serve(state, caller, accepted, headers, body).await,
    }
}
