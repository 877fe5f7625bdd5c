//! Reads that serve more than one: shared while in flight, cached, or read once per operation.

mod cache;
mod once;
mod read_key;
mod single_flight;

pub(super) use cache::Cache;
pub(super) use once::Once;
pub(super) use read_key::ReadKey;
pub use single_flight::{Flight, ScopedKey, SingleFlight};
