//! The state shared by all requests: services, budgets, limits and settings. Nothing here imports
//! an endpoint; all endpoints import this.

mod device;
pub mod graphql;
mod oauth;
mod one_time_sign_in;
mod pages;
pub mod rate_limit;
mod reload;
mod stream_registry;
mod throttle;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::cors::Cors;
use crate::auth::Authorizer;
use crate::budget::Budgets;
use crate::clients::Authenticator;
use crate::config::Networks;
use crate::database::Database;
use crate::database_time::DatabaseTime;
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::passkeys::Passkeys;
use crate::schema::Services;
use crate::tokens::{Issuer, KeyRing, Verifier};

pub use device::DeviceState;
pub use graphql::{Executors, GraphqlState};
pub use oauth::OauthState;
pub use one_time_sign_in::{OneTimeSignIn, PlaygroundCredentials};
pub use pages::PagesState;
pub use rate_limit::RateLimits;
pub use reload::{ReloadReceiver, ReloadResult, ReloadTrigger, Reloaded, reload_channel};
pub use stream_registry::{StreamGuard, StreamRegistry};
pub use throttle::Throttle;

/// The state of the HTTP server, one for both listeners. The services are fields of it, such as
/// `state.tenants`.
pub struct AppState {
    /// The services that resolvers work with.
    pub services: Services,
    /// The schema, validated documents and the limits of operations.
    pub graphql: GraphqlState,
    /// How much this node may hold and run at once.
    pub budgets: Arc<Budgets>,
    /// How often clients and tenants may send operations.
    pub rate_limits: RateLimits,
    /// The web origins that may send requests.
    pub cors: ArcSwap<Cors>,
    /// Streams and tasks that outlive their request.
    pub streams: StreamRegistry,
    /// Verifies access tokens.
    pub verifier: Verifier,
    /// Issues access tokens.
    pub issuer: Issuer,
    /// Decides what callers may do.
    pub authorizer: Arc<Authorizer>,
    /// Authenticates clients by secret or assertion.
    pub authenticator: Authenticator,
    /// Checked by the readiness probe.
    pub database: Arc<Database>,
    /// How well the clock of this node agrees with the database's.
    pub time: Arc<DatabaseTime>,
    /// The signing keys: published, and checked by the readiness probe.
    pub keys: Arc<KeyRing>,
    /// The passkeys of people at this gateway's URL.
    pub passkeys: Passkeys,
    /// Slows down networks that begin sign-ins and do not finish them: each is a row.
    pub sign_in_starts: Throttle,
    /// The limits of requests for a person's approval on this node.
    pub device: DeviceState,
    /// The location of the pages for people.
    pub pages: PagesState,
    /// The issuer and the throttle of the OAuth endpoints.
    pub oauth: OauthState,
    /// The proxies that may name the client's address.
    pub trusted_proxies: Networks,
    /// The figures of this node.
    pub metrics: Arc<Metrics>,
    /// The source of request ids.
    pub entropy: Arc<dyn Entropy>,
    /// The largest body of a GraphQL request and of a WebSocket message, in bytes.
    pub body_limit: usize,
    /// How long a request body may take to arrive.
    pub body_timeout: Duration,
    /// How long a client may read nothing of a response.
    pub write_timeout: Duration,
    /// Whether the playground is served.
    pub playground: bool,
    /// Asks for a reload of the settings.
    pub reload: ReloadTrigger,
    /// Signs the browser in that the demo opens.
    pub one_time_sign_in: OneTimeSignIn,
    /// Whether shutdown has begun: the readiness probe fails, while requests are still served.
    pub stopping: AtomicBool,
}

impl Deref for AppState {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}
