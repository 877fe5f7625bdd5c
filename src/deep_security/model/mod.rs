//! What the gateway means by what it reads and writes.

mod expand;
mod id;
mod pattern;
mod right;

pub use expand::Expand;
pub use id::{IdScope, ObjectId, reference};
pub use pattern::Pattern;
pub use right::Right;
