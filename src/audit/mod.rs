//! Who did what in which tenant: every mutation, in the transaction of what it records, and every refusal.

mod entity;
pub mod graphql;
mod service;

pub use service::{Audit, Deed, Entry, Refusal, begin, is_recorded, record, record_upstream, refuse};
