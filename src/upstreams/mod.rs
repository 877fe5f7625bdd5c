//! Upstreams: the installations of legacy systems, and which tenant of ours is which of theirs.

mod connection;
mod entity;
pub mod graphql;
pub mod model;
mod service;

pub use connection::Connection;
pub use model::{
    Authentication, Credential, Link, NewLink, NewUpstream, System, Upstream, UpstreamChange,
};
pub use service::{LegacyTenant, Upstreams, rewrap};
