//! Upstreams: the installations of legacy systems, and the links between tenants of the gateway
//! and tenants of the installations.

mod connection;
mod entity;
pub mod graphql;
pub mod link_check;
mod link_ref;
pub mod model;
mod service;

pub use connection::Connection;
pub use link_check::{LinkCheck, LinkFailure, LinkState};
pub use link_ref::LinkRef;
pub use model::{
    Authentication, Credential, Link, NewLink, NewUpstream, System, Upstream, UpstreamChange,
};
pub use service::{LegacyTenant, Upstreams, registered, rewrap};
