//! The GraphQL types and resolvers of Deep Security.
//!
//! `query` and `mutation` resolve the fields, `list` every list, `fetch` single objects. The other
//! modules are types; `inline_resolve` works around a cost of the GraphQL library.

mod change;
mod computer;
mod connection;
mod connection_node;
mod convert;
mod criteria;
mod enums;
mod fetch;
mod inline_resolve;
mod inputs;
mod key;
mod key_end;
mod links;
mod list;
mod lookup;
mod module;
mod mutation;
mod object;
mod object_types;
mod policy;
mod query;
mod role;
mod selection;
mod tenant;

pub use computer::ComputerObject;
pub use inline_resolve::LazyObject;
pub use key::ApiKeyObject;
pub use lookup::{api_key, computer, manager_of, policy, role, tenant};
pub use mutation::DeepSecurityMutation;
pub use policy::PolicyObject;
pub use query::{DeepSecurityObject, DeepSecurityQuery, of_tenant};
pub use role::RoleObject;
pub use tenant::TenantObject;
