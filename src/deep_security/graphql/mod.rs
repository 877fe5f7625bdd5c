//! Deep Security in the graph.

mod choices;
mod computer;
mod connection;
mod criteria;
mod inputs;
mod key;
mod module;
mod mutation;
mod policy;
mod query;
mod reading;
mod role;
mod rows;
mod tenant;

pub use mutation::DeepSecurityMutation;
pub use query::{DeepSecurityObject, DeepSecurityQuery, of_tenant};
pub use rows::Source;
