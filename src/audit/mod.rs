//! Who did what in which tenant: every mutation, in the transaction of what it records, and every refusal.

mod entity;
pub mod graphql;
mod service;

pub use service::{Audit, Deed, Entry, Refusal, is_recorded, record, refuse};
