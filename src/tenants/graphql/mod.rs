//! Tenants in the graph, in the shape of the Taegis API's `tenants4`
//! (`docs/reference/taegis-client-contract.md`, section 9).

mod filters;
mod mutation;
mod object;
mod query;

pub use mutation::TenantMutation;
pub use object::{TenantObject, resolve};
pub use query::TenantQuery;
