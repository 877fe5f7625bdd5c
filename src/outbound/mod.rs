//! The only way out: every call of an upstream system goes through [`Outbound::send`], which knows
//! no system by name.
//!
//! | module | contents |
//! |---|---|
//! | `route` | where a call goes, for whom and as whom; permitted addresses; health of a route |
//! | `settings`, `failure` | the limits, and the ways in which a call can fail |
//! | `limits` | permits: calls of an operation, its tenants, rate, concurrency, breaker, memory |
//! | `readings`, `call` | values read from an answer that callers share; one call and its answer |
//! | `transport` | one HTTP request and its response: connections, TLS, name resolution, collector |
//! | `sharing` | reads that serve more than one: single flight, cache, once per operation |
//! | `operation` | one operation of a caller and what it may use |
//! | `span` | the span of an attempt, for traces |
//! | `attempt`, `retry`, `send` | one attempt, its retries, and the entry point |
//!
//! Each imports only from those above it.

mod attempt;
mod call;
mod failure;
mod limits;
mod operation;
mod readings;
mod retry;
mod route;
mod send;
mod settings;
mod sharing;
mod span;
#[cfg(test)]
mod tests;
mod transport;

pub use call::{Answer, Call, Kind};
pub use failure::Failure;
pub use limits::{HeldAnswer, TenantSlot};
pub use operation::{Allowance, Operation};
pub use route::{
    AddressPolicy, BaseUrl, Circuit, Endpoint, Identity, RouteKey, Status, UpstreamRoute,
};
pub use send::Outbound;
pub use settings::{BreakerSettings, Settings};
pub use sharing::{Flight, ScopedKey, SingleFlight};
pub use transport::{CollectorClient, Reached, Unreachable, check_certificates, reach};
