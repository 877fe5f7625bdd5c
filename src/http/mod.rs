//! Everything that speaks HTTP: GraphQL, OAuth, health checks and the playground.

mod address;
mod body;
mod compression;
mod connection;
mod content_type;
mod cors;
mod eager_repoll;
pub mod graphql;
mod health;
mod host;
pub mod oauth;
pub mod playground;
mod rate_limit;
mod reply;
mod request_id;
mod serve;
mod stream_registry;
mod write_timeout;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::response::Response;
use axum::routing::{any, get};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_service::Service;

use crate::audit::Audit;
use crate::auth::Authorizer;
use crate::budget::{Budgets, Network, Pool};
use crate::clients::Authenticator;
use crate::config::Networks;
use crate::database::Database;
use crate::database_time::DatabaseTime;
use crate::entropy::Entropy;
use crate::tenants::Tenants;
use crate::tokens::{Issuer, KeyRing, Verifier};
use connection::ConnectionBudget;
use graphql::GraphqlState;
use request_id::with_request_id;
use serve::serve;

pub use cors::Cors;
pub use rate_limit::RateLimits;
pub use stream_registry::StreamRegistry;

/// The admin listener has connections of its own, so that health goes on being told while the
/// public one is full.
const ADMIN_CONNECTIONS: usize = 64;

/// What all requests share: services, limits and settings.
pub struct AppState {
    /// The graph, and within which limits it is executed.
    pub graphql: GraphqlState,
    /// What this node may hold and do at once.
    pub budgets: Arc<Budgets>,
    /// How often it may be asked.
    pub rate_limits: RateLimits,
    /// Which web pages may ask.
    pub cors: Cors,
    /// Those who stay longer than a request.
    pub streams: StreamRegistry,
    /// Reads tokens.
    pub verifier: Verifier,
    /// Makes tokens.
    pub issuer: Issuer,
    /// Knows what callers may do.
    pub authorizer: Arc<Authorizer>,
    /// Checks the secrets of clients.
    pub authenticator: Authenticator,
    /// Keeps what was refused.
    pub audit: Arc<Audit>,
    /// Asked by the readiness check.
    pub database: Arc<Database>,
    /// How well this node's clock agrees with the database's.
    pub time: Arc<DatabaseTime>,
    /// Published; asked by the readiness check.
    pub keys: Arc<KeyRing>,
    /// Knows whose audit log keeps what strangers try.
    pub tenants: Arc<Tenants>,
    /// What the OAuth endpoints need of their own.
    pub oauth: oauth::OauthState,
    /// The proxies that are believed when they name the caller's address.
    pub trusted_proxies: Networks,
    /// Makes request ids.
    pub entropy: Arc<dyn Entropy>,
    /// The largest body of a GraphQL request, in bytes.
    pub body_limit: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a caller may take nothing of a response.
    pub write_timeout: Duration,
    /// Whether the playground is served.
    pub playground: bool,
    /// Whether the process was told to stop and only serves what still comes.
    pub stopping: AtomicBool,
}

/// Serves the public listener until told that all is `stopped`, then lets the requests in flight
/// end.
pub async fn serve_public(
    listener: TcpListener,
    state: Arc<AppState>,
    stopped: watch::Receiver<bool>,
) {
    let router = public_paths(&state);
    let budget = connections(&state, state.budgets.connections.clone());
    serve(listener, budget, move |request| enter(state.clone(), router.clone(), request), stopped)
        .await;
}

/// The same for the admin listener.
pub async fn serve_admin(
    listener: TcpListener,
    state: Arc<AppState>,
    stopped: watch::Receiver<bool>,
) {
    let budget = connections(
        &state,
        Pool::with_cap("admin_connections", ADMIN_CONNECTIONS, ADMIN_CONNECTIONS),
    );
    let router = health_routes().fallback(reply::no_such_path).with_state(state);
    serve(listener, budget, move |request| enter_admin(router.clone(), request), stopped).await;
}

fn connections(state: &AppState, pool: Arc<Pool<Network>>) -> ConnectionBudget {
    let trusted_proxies = state.trusted_proxies.clone();
    ConnectionBudget { pool, trusted_proxies, write_timeout: state.write_timeout }
}

/// What every request passes.
// Not layers of the router: each costs every request a future in a box.
async fn enter(state: Arc<AppState>, router: Router, request: Request) -> Response {
    let routed = async |request| reply::or_panicked(route(router, request)).await;
    let checked = async |request| host::checked(request, routed).await;
    no_sniffing(
        with_request_id(&state, request, async |request| {
            cors::cors(&state, request, checked).await
        })
        .await,
    )
}

/// Keeps browsers from taking an answer for something else than it says it is.
fn no_sniffing(mut response: Response) -> Response {
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn enter_admin(router: Router, request: Request) -> Response {
    no_sniffing(host::checked(request, async |request| route(router, request).await).await)
}

async fn route(mut router: Router, request: Request) -> Response {
    router.call(request).await.unwrap_or_else(|never| match never {})
}

fn public_paths(state: &Arc<AppState>) -> Router {
    Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/public/query", any(graphql::handle))
        .merge(oauth::routes())
        .merge(health_routes())
        .merge(if state.playground { playground::routes() } else { Router::new() })
        .fallback(reply::no_such_path)
        .with_state(state.clone())
}

fn health_routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/health/live", get(health::live))
        .route("/healthz", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/readyz", get(health::ready))
}
