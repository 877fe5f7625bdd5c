//! One request on the wire and its response: connections, TLS, name resolution, trace context.

mod exchange;
mod pool;
mod reach;
mod resolver;
mod tls;
mod trace;

pub(super) use exchange::{HttpRequest, Reply};
pub(super) use pool::{Client, Pool};
pub use reach::{Reached, Unreachable, reach};
pub use tls::check_certificates;
pub(super) use trace::Trace;
