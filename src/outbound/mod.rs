//! The one way out: every call of a legacy system goes through [`Outbound::send`], which knows none
//! of them by name.
//!
//! | file | what it holds |
//! |---|---|
//! | [`base_url`], `address`, `resolver` | where an installation may stand (feature F21) |
//! | [`mod@route`] | for whom a call goes where: the key of everything that is shared, counted or remembered |
//! | [`call`], `exchange`, `trace` | one call and its answer, and both on the wire |
//! | `pool`, [`tls`] | connections, and whom they trust |
//! | [`failure`], `retry` | how a call can fail, what that means for the caller, and what is tried again |
//! | [`operation`], `budget`, [`tenant_slots`], `once` | what one operation of a caller may spend: calls, time, tenants at once |
//! | `registry`, `breaker`, `concurrency`, `rate`, `fair` | what is known of each tenant's way and each credential, and holds calls back |
//! | `held` | what answers take of the node's memory |
//! | `sharing`, `cache` | reads that serve more than one |
//! | [`status`] | how a tenant's route to an installation is doing, as data |
//! | `send`, `attempt`, [`settings`] | all of it, in order |

mod address;
mod attempt;
pub mod base_url;
mod breaker;
mod budget;
mod cache;
pub mod call;
mod concurrency;
mod exchange;
pub mod failure;
mod fair;
mod held;
mod once;
pub mod operation;
mod pool;
mod rate;
mod registry;
mod resolver;
mod retry;
pub mod route;
mod send;
pub mod settings;
mod sharing;
pub mod status;
pub mod tenant_slots;
#[cfg(test)]
mod tests;
pub mod tls;
mod trace;

pub use base_url::{AddressPolicy, BaseUrl};
pub use breaker::BreakerSettings;
pub use call::{Answer, Call, Kind};
pub use failure::Failure;
pub use held::HeldAnswer;
pub use operation::{Allowance, Operation};
pub use route::{Endpoint, Identity, RouteKey, UpstreamRoute};
pub use send::Outbound;
pub use settings::Settings;
pub use status::{Circuit, Status};
pub use tenant_slots::TenantSlot;
pub use tls::check_certificates;
