//! The OAuth 2 authorization server: tokens for machine clients, and for programs that a person
//! has approved.

mod client_authentication;
mod denials;
mod device;
mod device_taegis;
mod error;
mod form;
mod granted;
mod introspect;
mod json_members;
mod metadata;
mod revoke;
mod token;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequest};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::{any, get};
use serde::Serialize;

use super::address;
use super::json_reply::{JSON, json_response};
use super::paths;
use super::state::AppState;
use crate::auth::RequestId;
use error::{OauthError, method_not_allowed};
use form::Form;

/// The paths of the authorization server.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route(paths::TOKEN, any(token::handle))
        .route(paths::TAEGIS_TOKEN, any(token::handle))
        .route(paths::INTROSPECT, any(introspect::handle))
        .route(paths::REVOKE, any(revoke::handle))
        .route(paths::DEVICE_AUTHORIZATION, any(device::authorize))
        .route(paths::TAEGIS_DEVICE_CODE, any(device_taegis::code))
        .route(paths::TAEGIS_DEVICE_TOKEN, any(device_taegis::token))
        .route(paths::JWKS, get(metadata::jwks))
        .route(paths::AUTHORIZATION_SERVER, get(metadata::metadata))
        .route(&below(paths::AUTHORIZATION_SERVER), get(metadata::metadata_of_path))
        .route(paths::OPENID_CONFIGURATION, get(metadata::metadata))
}

fn below(path: &str) -> String {
    format!("{path}/{{*path}}")
}

/// A request to an endpoint at which clients authenticate. Methods other than POST are rejected
/// (RFC 6749, section 3.2): credentials in a URL would end up in logs.
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
        let address = address::of_client(&state.trusted_proxies, peer, &parts.headers);
        let form = Form::read(&parts.headers, &parts.uri, body, state.body_timeout).await;
        let form = form.map_err(OauthError::into_response)?;
        Ok(Self { state: state.clone(), id, address, headers: parts.headers, form })
    }
}

fn json_ok(body: &impl Serialize) -> Response {
    json_response(StatusCode::OK, JSON, body)
}
