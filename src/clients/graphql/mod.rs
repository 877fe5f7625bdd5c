//! Clients in the graph, by the contract of the Taegis Python SDK
//! (`docs/reference/taegis-client-contract.md`, section 7).

mod credentials;
mod inputs;
mod key_input;
mod mutation;
mod objects;
mod query;
mod search_input;
mod subject;

pub use mutation::ClientMutation;
pub use objects::Client;
pub use query::{ClientQuery, find};
