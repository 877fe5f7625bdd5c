//! The Integration Server in the graph.

mod inputs;
mod lists;
mod mutation;
mod objects;
mod query;
mod subscription;
mod task;

pub use mutation::IntegrationServerMutation;
pub use query::{IntegrationServerObject, IntegrationServerQuery, of_tenant};
pub use subscription::IntegrationServerSubscription;
