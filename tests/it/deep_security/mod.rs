//! Deep Security through GraphQL, against a simulated manager.

mod caching;
mod faults;
mod keys;
mod lists;
mod many_tenants;
mod neighbours;
mod projection;
mod reading;
pub mod rig;
mod writing;

pub use rig::Rig;
