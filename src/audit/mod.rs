//! Who did what in which tenant: every mutation, in the transaction of what it records, and every
//! refusal.

mod entity;
pub mod graphql;
mod service;

pub use service::{
    Attempt, Audit, Deed, Ended, Entry, FailedAuthentication, Outcome, Period, Refusal, begin,
    is_recorded, record, record_ended,
};
