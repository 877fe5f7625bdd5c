//! The paths of both listeners, and what every request passes on its way to them.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, COOKIE, SEC_WEBSOCKET_PROTOCOL, X_CONTENT_TYPE_OPTIONS};
use axum::response::Response;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::{Layer, Service, service_fn};
use tower_http::sensitive_headers::{SetSensitiveRequestHeaders, SetSensitiveRequestHeadersLayer};
use tower_http::set_header::{SetResponseHeader, SetResponseHeaderLayer};

use super::catch_panic::catch_panic;
use super::connection::ConnectionBudget;
use super::cors::with_cors;
use super::request_id::with_request_id;
use super::serve::serve;
use super::state::AppState;
use super::{graphql, health, host, json_reply, metrics, oauth, pages, paths, playground, reload};
use crate::budget::{Network, Pool};

/// Connections of the admin listener, apart from those of the public one: probes are answered while
/// the public listener is full.
const ADMIN_CONNECTIONS: usize = 64;

/// Serves the public listener until `stopped`, then lets requests in flight end.
pub async fn serve_public(
    listener: TcpListener,
    state: Arc<AppState>,
    stopped: watch::Receiver<bool>,
) {
    let budget = connections(&state, state.budgets.connections.clone());
    let router = public_paths(&state);
    let service = hardened(service_fn(move |request| {
        let state = state.clone();
        let router = router.clone();
        async move { Ok(public(&state, router, request).await) }
    }));
    serve(listener, budget, service, stopped).await;
}

/// Serves the admin listener, which has the health checks, the figures and the
/// reload, until `stopped`.
pub async fn serve_admin(
    listener: TcpListener,
    state: Arc<AppState>,
    stopped: watch::Receiver<bool>,
) {
    let pool = Pool::with_cap("admin_connections", ADMIN_CONNECTIONS, ADMIN_CONNECTIONS);
    let budget = connections(&state, pool);
    let router = health_paths()
        .route(paths::METRICS, get(metrics::scrape))
        .route(paths::RELOAD, post(reload::reload))
        .fallback(json_reply::no_such_admin_path)
        .with_state(state);
    let service = hardened(service_fn(move |request| {
        let router = router.clone();
        async move { Ok(host::check(request, async |request| route(router, request).await).await) }
    }));
    serve(listener, budget, service, stopped).await;
}

fn connections(state: &AppState, pool: Arc<Pool<Network>>) -> ConnectionBudget {
    let trusted_proxies = state.trusted_proxies.clone();
    ConnectionBudget { pool, trusted_proxies, write_timeout: state.write_timeout }
}

/// Marks the headers that carry credentials, so that `Debug` does not print them, and forbids
/// browsers to guess at the media type of a response.
///
/// Other layers of `tower-http` do not fit: `CatchPanicLayer` boxes every response body,
/// `SetRequestIdLayer` adopts the client's id instead of assigning one, `TimeoutLayer` would end
/// streams, and `RequestBodyTimeoutLayer` bounds each chunk, not the whole body.
fn hardened<S>(service: S) -> SetResponseHeader<SetSensitiveRequestHeaders<S>, HeaderValue> {
    let nosniff = HeaderValue::from_static("nosniff");
    let layers = (
        SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, nosniff),
        SetSensitiveRequestHeadersLayer::new([AUTHORIZATION, COOKIE, SEC_WEBSOCKET_PROTOCOL]),
    );
    layers.layer(service)
}

/// Handles every request of the public listener: request id, CORS, host check,
/// panics caught, then the router.
// Functions, not layers of the router: each layer of a router boxes the future of every request.
async fn public(state: &AppState, router: Router, request: Request) -> Response {
    let routed = service_fn(move |request| {
        let router = router.clone();
        let routed = async |request| catch_panic(route(router, request)).await;
        async move { Ok::<_, Infallible>(host::check(request, routed).await) }
    });
    let cors = state.cors.load_full();
    with_request_id(state, request, async |request| with_cors(&cors, routed, request).await).await
}

async fn route(mut router: Router, request: Request) -> Response {
    router.call(request).await.unwrap_or_else(|never| match never {})
}

fn public_paths(state: &Arc<AppState>) -> Router {
    let playground = if state.playground { playground::routes() } else { Router::new() };
    Router::new()
        .route(paths::GRAPHQL, any(graphql::handle))
        .route(paths::PUBLIC_QUERY, any(graphql::handle))
        .merge(oauth::routes())
        .merge(pages::routes())
        .merge(health_paths())
        .merge(playground)
        .fallback(json_reply::no_such_path)
        .with_state(state.clone())
}

fn health_paths() -> Router<Arc<AppState>> {
    Router::new()
        .route(paths::LIVE, get(health::live))
        .route(paths::HEALTHZ, get(health::live))
        .route(paths::READY, get(health::ready))
        .route(paths::READYZ, get(health::ready))
}
