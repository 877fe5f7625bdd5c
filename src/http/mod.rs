//! Everything that speaks HTTP: GraphQL, OAuth, the pages for people, health checks and the
//! playground.
//!
//! Imports lead in one direction: `state` knows no endpoint, `graphql`, `oauth` and `pages` know
//! the state and not each other, `router` puts all of them together.

mod address;
mod body;
mod browser;
mod compression;
mod connection;
mod cors;
pub mod graphql;
mod health;
mod http_error;
mod json_reply;
mod metrics;
mod oauth;
mod pages;
mod paths;
pub mod playground;
mod reload;
mod request_id;
mod router;
mod serve;
mod server_span;
mod state;
mod write_timeout;

pub use cors::Cors;
pub use router::{serve_admin, serve_public};
pub use state::graphql::load_trusted;
pub use state::{
    AppState, DeviceState, Executors, GraphqlState, OauthState, OneTimeSignIn, PagesState,
    PlaygroundCredentials, RateLimits, ReloadReceiver, ReloadResult, ReloadTrigger, Reloaded,
    StreamRegistry, Throttle, reload_channel,
};
