//! Upstreams in the graph.

mod checks;
mod credential;
mod inputs;
mod kinds;
mod loaders;
mod mutation;
mod objects;
mod query;
mod status;

pub use mutation::UpstreamMutation;
pub use objects::{UpstreamLinkObject, UpstreamObject, find, find_link, links_of_tenant};
pub use query::UpstreamQuery;
