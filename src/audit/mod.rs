//! The audit log: a record of every mutation, in the transaction of the mutation itself, and of
//! every refusal.

mod canonical;
mod entity;
pub mod graphql;
mod service;

pub use service::{
    Attempt, Audit, BreakReason, ChainBreak, ChainPoint, Ended, EndpointChange, Entry,
    FailedAuthentication, Outcome, Period, Refusal, Request, RoleChange, Verification, begin,
    is_recorded, record, record_ended, record_roles_elsewhere,
};
