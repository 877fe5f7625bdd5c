//! Deep Security in the graph.

mod choices;
mod computer;
mod connection;
mod criteria;
mod find;
mod inline_resolve;
mod inputs;
mod key;
mod key_end;
mod module;
mod mutation;
mod policy;
mod query;
mod reading;
mod role;
mod tenant;

pub use computer::ComputerObject;
pub use find::{api_key, computer, manager_of, policy, role, tenant};
pub use inline_resolve::LazyObject;
pub use key::ApiKeyObject;
pub use mutation::DeepSecurityMutation;
pub use policy::PolicyObject;
pub use query::{DeepSecurityObject, DeepSecurityQuery, of_tenant};
pub use role::RoleObject;
pub use tenant::TenantObject;
