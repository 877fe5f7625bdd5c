//! The door: everything that speaks HTTP.

mod graphql;
mod health;
mod oauth;
pub mod playground;
mod reply;
mod request_id;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use axum::routing::{any, get};
use tower_http::catch_panic::CatchPanicLayer;

use crate::audit::Audit;
use crate::auth::Authorizer;
use crate::clients::Authenticator;
use crate::database::Database;
use crate::entropy::Entropy;
use crate::schema::GatewaySchema;
use crate::tokens::{Issuer, KeyRing, Verifier};

/// What the door needs of the house.
pub struct Door {
    /// The graph.
    pub schema: GatewaySchema,
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
    /// Asked by the readiness check.
    pub keys: Arc<KeyRing>,
    /// Makes request ids.
    pub entropy: Arc<dyn Entropy>,
    /// The largest body of a GraphQL request, in bytes.
    pub body_limit: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// Whether the playground is served.
    pub playground: bool,
}

/// All paths of the public listener.
pub fn router(door: Arc<Door>) -> Router {
    Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/public/query", any(graphql::handle))
        .route("/auth/api/v2/auth/token", any(oauth::token))
        .route("/oauth2/token", any(oauth::token))
        .merge(health_routes())
        .merge(if door.playground { playground::routes() } else { Router::new() })
        .fallback(reply::no_such_path)
        .with_state(door.clone())
        .layer(CatchPanicLayer::custom(reply::panicked))
        .layer(middleware::from_fn_with_state(door, request_id::with_request_id))
}

/// All paths of the admin listener.
pub fn admin_router(door: Arc<Door>) -> Router {
    health_routes().fallback(reply::no_such_path).with_state(door)
}

fn health_routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/health/live", get(health::live))
        .route("/healthz", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/readyz", get(health::ready))
}
