//! The gateway as an OAuth 2 authorization server for machines.

mod client_authentication;
mod denials;
mod error;
mod form;
mod introspect;
mod json_members;
mod metadata;
mod revoke;
mod throttle;
mod token;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequest};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::{any, get};
use serde::Serialize;

use self::error::{OauthError, method_not_allowed};
use self::form::Form;
use super::reply::{JSON, json_response};
use super::{AppState, address};
use crate::auth::RequestId;

pub use throttle::Throttle;

/// What the OAuth endpoints need beside the rest of the house.
pub struct OauthState {
    issuer: String,
    audiences: Vec<String>,
    jwks_max_age: Duration,
    throttle: Throttle,
}

impl OauthState {
    /// The endpoints of that issuer.
    pub fn new(issuer: String, jwks_max_age: Duration, throttle: Throttle) -> Self {
        use metadata::{INTROSPECT, REVOKE, TAEGIS_TOKEN, TOKEN};
        // Whom an assertion may be for: us, or the endpoint that it is sent to (RFC 7523, section
        // 3).
        let endpoints = ["", TOKEN, TAEGIS_TOKEN, INTROSPECT, REVOKE];
        let audiences = endpoints.map(|path| format!("{issuer}{path}")).into();
        Self { issuer, audiences, jwks_max_age, throttle }
    }
}

/// All paths of the authorization server.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route(metadata::TOKEN, any(token::handle))
        .route(metadata::TAEGIS_TOKEN, any(token::handle))
        .route(metadata::INTROSPECT, any(introspect::handle))
        .route(metadata::REVOKE, any(revoke::handle))
        .route(metadata::JWKS, get(metadata::jwks))
        .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
        .route("/.well-known/oauth-authorization-server/{*path}", get(metadata::metadata_of_path))
        .route("/.well-known/openid-configuration", get(metadata::metadata))
}

/// A request to one of the endpoints that clients authenticate at. Anything but POST is turned away
/// before (RFC 6749, section 3.2): what stands in an address ends up in logs.
struct Request {
    state: Arc<AppState>,
    id: RequestId,
    address: IpAddr,
    headers: HeaderMap,
    form: Form,
}

impl FromRequest<Arc<AppState>> for Request {
    type Rejection = Response;

    async fn from_request(
        request: axum::extract::Request,
        state: &Arc<AppState>,
    ) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        if parts.method != Method::POST {
            return Err(method_not_allowed());
        }
        let id = parts.extensions.get::<RequestId>().cloned();
        let id = id.ok_or_else(|| OauthError::ServerError.into_response())?;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = address::of_caller(&state.trusted_proxies, peer, &parts.headers);
        let form = Form::read(&parts.headers, &parts.uri, body, state.body_timeout).await;
        let form = form.map_err(OauthError::into_response)?;
        Ok(Self { state: state.clone(), id, address, headers: parts.headers, form })
    }
}

fn json_ok(body: &impl Serialize) -> Response {
    json_response(StatusCode::OK, JSON, body)
}
