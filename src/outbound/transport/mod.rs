//! One request on the wire and its response: connections, TLS, name resolution; and the client of a
//! collector of traces.

mod collector;
mod exchange;
mod pool;
mod reach;
mod resolver;
mod tls;

pub use collector::CollectorClient;
pub(super) use exchange::{HttpRequest, Reply, exchange, request};
pub(super) use pool::{Client, Pool};
pub use reach::{Reached, Unreachable, reach};
pub use tls::check_certificates;
