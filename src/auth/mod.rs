//! Who calls, in which tenant, and what they may do there.
//!
//! A request becomes a [`RequestContext`] once, at the door. A [`TenantScope`] is the proof that
//! the caller may do a certain thing in a certain tenant: every function that touches a tenant's
//! data takes one, and only this room makes one.

mod access;
mod administrators;
mod authority;
pub mod bearer;
mod context;
mod entity;
pub mod graphql;
mod reach;

pub use access::{Access, Authorizer, Held};
pub use administrators::{AdministratorHold, own_holds, require_administrators};
pub use context::{Caller, RequestContext, RequestId, TenantScope};
pub use reach::Reach;
