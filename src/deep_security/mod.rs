//! Trend Micro Deep Security and Workload Security for the tenant in context.
//!
//! Each module imports only from those below it in this table.
//!
//! | module | contents |
//! |---|---|
//! | [`graphql`] | the GraphQL types and resolvers |
//! | [`service`] | opens a tenant's manager for a scope; audits changes |
//! | [`session`] | creates an installation's first key from a user name and a password |
//! | `probe`, `listing` | tests of a connection; lists, page by page |
//! | `manager` | calls to one tenant's manager; what happens when a key is refused |
//! | [`keys`] | the keys that the gateway mints for tenants |
//! | `query` | queries of lists as search filters |
//! | `client` | one call of the vendor's API and the classification of its response |
//! | `model` | ids, name patterns, expanded parts, key access |
//! | `wire` | the vendor's JSON |
//! | `cache_ttl` | how long responses are cached |

mod cache_ttl;
mod client;
pub mod graphql;
pub mod keys;
mod listing;
mod manager;
mod model;
mod probe;
mod query;
pub mod service;
pub mod session;
mod wire;

pub use cache_ttl::CacheTtl;
pub use keys::rewrap;
pub use service::DeepSecurity;
pub use session::{Session, SessionInput, create_installation_key};
