//! Authentication context and authorization: the caller, the tenant, and the permissions there.
//!
//! A request becomes a [`RequestContext`] when it enters. A [`TenantScope`] is the proof that
//! the caller may do a certain thing in a certain tenant: every function that touches a tenant's
//! data takes one, and only this room makes one.

mod access;
mod administrators;
mod authority;
mod authorizer;
mod caller;
mod context;
mod entity;
pub mod graphql;
mod presented;
mod request_id;
mod scope;

pub use crate::ids::SubjectId;
pub use access::{Access, RoleGrant};
pub use administrators::{AdministratorHold, own_holds, require_administrators, taken_holds};
pub use authority::RoleHold;
pub use authorizer::Authorizer;
pub use caller::Caller;
pub use context::RequestContext;
pub use presented::{
    Presented, TENANT_CONTEXT, TenantHeader, TokenRestriction, tenant_header, verify_bearer,
};
pub use request_id::RequestId;
pub use scope::TenantScope;
