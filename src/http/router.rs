//! The paths of both listeners, and what every request passes on its way to them.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, COOKIE, HOST, SEC_WEBSOCKET_PROTOCOL, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::response::Response;
use axum::routing::{any, get, post};
use futures_util::FutureExt;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::{Layer, Service, service_fn};
use tower_http::sensitive_headers::{SetSensitiveRequestHeaders, SetSensitiveRequestHeadersLayer};
use tower_http::set_header::{SetResponseHeader, SetResponseHeaderLayer};

use super::connection::ConnectionBudget;
use super::cors::with_cors;
use super::json_reply::{JSON, bad_request, json_response};
use super::request_id::with_request_id;
use super::serve::serve;
use super::state::AppState;
use super::{graphql, health, json_reply, metrics, oauth, pages, paths, playground, reload};
use crate::auth::RequestId;
use crate::budget::{Network, Pool};
use crate::error::Error;

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
        async move { Ok(check_host(request, async |request| call(router, request).await).await) }
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
        let routed = async |request| catch_panic(call(router, request)).await;
        async move { Ok::<_, Infallible>(check_host(request, routed).await) }
    });
    let cors = state.cors.load_full();
    with_request_id(state, request, async |request| with_cors(&cors, routed, request).await).await
}

async fn call(mut router: Router, request: Request) -> Response {
    router.call(request).await.unwrap_or_else(|never| match never {})
}

/// Answers requests with exactly one valid `Host` (RFC 9112, section 3.2), and rejects others with
/// status 400: a proxy in front may have read a different host than the gateway would. HTTP/1.0 does
/// not require the header.
async fn check_host(request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    if has_one_host(request.version(), request.headers()) {
        return answer(request).await;
    }
    let message = "the request must have exactly one valid Host header";
    bad_request(message, request.extensions().get::<RequestId>())
}

fn has_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(|host| host.parse::<Authority>().is_ok()),
        (Some(_), Some(_)) => false,
    }
}

/// Waits for an answer. A panic is logged and answered with status 500, and the process continues.
async fn catch_panic(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(panicked)
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(cause = text.unwrap_or("unknown"), "request handler panicked");
    let error = Error::internal("panic");
    let code = error.code();
    let extensions = json!({ "code": code.as_str(), "retryable": code.retryable() });
    let body = json!({ "errors": [{ "message": error.message(), "extensions": extensions }] });
    json_response(StatusCode::INTERNAL_SERVER_ERROR, JSON, &body)
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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};

    use super::*;

    fn accepts(version: Version, hosts: &[&'static str]) -> bool {
        let headers: HeaderMap = hosts.iter().map(|host| (HOST, host.parse().unwrap())).collect();
        has_one_host(version, &headers)
    }

    #[test]
    fn exactly_one_valid_host_is_accepted() {
        for host in ["gateway", "gateway.example:8080", "[::1]:8080", "127.0.0.1"] {
            assert!(accepts(Version::HTTP_11, &[host]), "{host}");
        }
        assert!(accepts(Version::HTTP_10, &[]));
        assert!(
            !accepts(Version::HTTP_11, &[])
                && !accepts(Version::HTTP_11, &["a b"])
                && !accepts(Version::HTTP_11, &[""])
        );
        let mut two = HeaderMap::new();
        two.append(HOST, "a".parse().unwrap());
        two.append(HOST, "a".parse().unwrap());
        assert!(!has_one_host(Version::HTTP_11, &two) && !has_one_host(Version::HTTP_10, &two));
    }

    #[tokio::test]
    async fn panic_is_answered_without_its_message() {
        let answer = catch_panic(async { panic!("the word is xyzzy") }).await;
        assert_eq!(answer.status(), 500);
        let body = to_bytes(answer.into_body(), 1024).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("INTERNAL") && !text.contains("xyzzy"), "{text}");
        assert_eq!(catch_panic(async { Response::new(Body::from("sound")) }).await.status(), 200);
    }
}
