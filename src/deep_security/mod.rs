//! Trend Micro Deep Security and Workload Security for the tenant in context.
//!
//! | file | what it holds |
//! |---|---|
//! | [`service`] | the way of a scope to its manager; the record of what was changed there |
//! | `manager` | the manager of one tenant, as one caller may use it: calls, and what happens when a key is refused |
//! | `listing` | lists in windows of ids |
//! | `cache_ttl` | for how long what was read serves again |
//! | `client` | one call of the vendor's API, and what its answer means |
//! | [`session`] | the first key of an installation, made with a user name and a password |
//! | [`keys`] | the keys that are made for tenants |
//! | `wire` | what goes over the wire |
//! | `model` | what is meant by it |
//! | [`graphql`] | what the graph shows |

mod cache_ttl;
mod client;
pub mod graphql;
pub mod keys;
mod listing;
mod manager;
mod model;
pub mod service;
pub mod session;
mod wire;

pub use cache_ttl::CacheTtl;
pub use keys::rewrap;
pub use service::DeepSecurity;
pub use session::{Session, SessionInput, first_key};
