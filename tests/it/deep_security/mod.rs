//! Deep Security through the graph, against a stand-in of the manager.

mod fan_out;
mod faults;
mod keys;
mod lists;
mod neighbours;
mod reading;
mod remembering;
pub mod rig;
mod writing;

pub use rig::Rig;
