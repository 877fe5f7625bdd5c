//! The audit log: a record of every mutation, in the transaction of the mutation itself, and of
//! every refusal.

mod entity;
pub mod graphql;
mod service;

pub use service::{
    Attempt, Audit, Ended, EndpointChange, Entry, FailedAuthentication, Outcome, Period, Refusal,
    RoleChange, begin, is_recorded, record, record_ended, record_roles_elsewhere,
};
