//! The GraphQL endpoint. A request reads from top to bottom: who calls, in which tenant, what they
//! ask, what they get.

mod accept;
mod answer;
mod asked;
mod caller;
mod documents;
mod execute;
mod executed;
mod get;
mod lexer;
mod limits;
mod metering;
mod outcome;
mod post;
mod refusals;
mod sse;
mod subscription;
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

use super::Door;
use super::reply::{JSON, Refused};
use crate::auth::RequestId;
use crate::config::{Config, Introspection, LimitsConfig};
use crate::error::{Error, Result};
use crate::graphql::{Executor, SchemaModel};
use accept::{Accepted, Media, accepted};
use caller::{Entered, presented};
use documents::Documents;
use trusted::Trusted;

pub use metering::Metering;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// What the endpoint executes, and within which limits.
pub struct Endpoint {
    executor: Arc<dyn Executor>,
    limits: LimitsConfig,
    documents: Documents,
    trusted: Trusted,
    introspection: bool,
    batching: bool,
    persisted_queries: bool,
}

impl Endpoint {
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
            documents: Documents::new(model, config.limits.clone(), own.document_cache),
            trusted: Trusted::load(own.trusted_documents.as_deref(), own.trusted_documents_mode)?,
            introspection,
            batching: own.batching,
            persisted_queries: own.persisted_queries,
        })
    }
}

/// Serves `/graphql`. Who calls is settled before anything else is looked at, so that nothing of
/// the schema, not even whether a field exists, shows to somebody without a token.
pub async fn handle(
    State(door): State<Arc<Door>>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let accepted = accepted(&parts.headers);
    let mut response = match serve(&door, &request_id, accepted, &mut parts, body).await {
        Ok(response) => response,
        Err(refused) => {
            refused.into_response(&request_id, accepted.media.map_or(JSON, Media::content_type))
        }
    };
    let vary = HeaderValue::from_static("Authorization, X-Tenant-Context, Accept, Accept-Encoding");
    response.headers_mut().insert(VARY, vary);
    response
}

async fn serve(
    door: &Arc<Door>,
    request_id: &RequestId,
    accepted: Accepted,
    parts: &mut Parts,
    body: Body,
) -> Result<Response, Refused> {
    if parts.method == Method::OPTIONS {
        return Ok((StatusCode::NO_CONTENT, [(ALLOW, METHODS)]).into_response());
    }
    if parts.method == Method::GET && parts.headers.contains_key(UPGRADE) {
        let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
        let upgrade = upgrade
            .map_err(|_| Refused::with(StatusCode::BAD_REQUEST, "this is no WebSocket upgrade"))?;
        // Boxed, so that a single request does not carry the room that an upgrade takes.
        return ws::upgrade(door, request_id, parts, upgrade).boxed().await;
    }
    let caller = Box::new(Entered::enter(door, request_id, &parts.headers).await?);
    let quotas = caller.quotas;
    let who = caller.clone();
    let mut response = match answer(door, caller, accepted, parts, body).await {
        Ok(response) => {
            executed::watch(door, &response, parts.extensions.get(), || {
                who.stay(presented(&parts.headers))
            });
            response
        }
        Err(refused) => {
            refused.into_response(request_id, accepted.media.map_or(JSON, Media::content_type))
        }
    };
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        quotas.write(response.headers_mut());
    }
    Ok(response)
}

async fn answer(
    door: &Arc<Door>,
    caller: Box<Entered>,
    accepted: Accepted,
    parts: &Parts,
    body: Body,
) -> Result<Response, Refused> {
    let length = parts.uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length > door.graphql.limits.url {
        return Err(Refused::with(StatusCode::URI_TOO_LONG, "the URL is too long: send a POST"));
    }
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    if !reads && parts.method != Method::POST {
        return Err(Refused::method_not_allowed(METHODS));
    }
    if accepted.media.is_none() && !accepted.events {
        let offered = "answers come as application/graphql-response+json, application/json or text/event-stream";
        return Err(Refused::with(StatusCode::NOT_ACCEPTABLE, offered));
    }
    let headers: &HeaderMap = &parts.headers;
    match reads {
        true => get::serve(door, caller, accepted, headers, &parts.uri).await,
        false => post::serve(door, caller, accepted, headers, body).await,
    }
}
