//! What the gateway means by what it reads and writes.

mod expand;
mod id;
mod key_access;
mod pattern;

pub use expand::Expand;
pub use id::{IdScope, ObjectId, reference};
pub use key_access::KeyAccess;
pub use pattern::Pattern;
