//! One request on the wire and its response: connections, TLS, name resolution; and the client of a
//! collector of traces.

mod client;
mod collector;
mod connection;
mod connector;
mod exchange;
mod hyper_failure;
mod pool;
mod reach;
mod resolver;
mod tls;

pub(super) use client::Client;
pub use collector::CollectorClient;
pub(super) use connection::HttpRequest;
pub(super) use exchange::{Reply, exchange, request};
pub(super) use pool::Pool;
pub use reach::{Reached, Unreachable, reach};
pub use tls::check_certificates;
