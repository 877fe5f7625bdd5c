//! Deep Security in the graph.

mod choices;
mod computer;
mod connection;
mod criteria;
mod find;
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

pub use computer::ComputerObject;
pub use find::{api_key, computer, manager_of, policy, role, tenant};
pub use key::ApiKeyObject;
pub use mutation::DeepSecurityMutation;
pub use policy::PolicyObject;
pub use query::{DeepSecurityObject, DeepSecurityQuery, of_tenant};
pub use role::RoleObject;
pub use rows::Source;
pub use tenant::TenantObject;
