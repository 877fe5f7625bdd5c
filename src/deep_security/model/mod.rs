//! Ids, name patterns, expanded parts and key access: the values behind requests.

mod expand;
mod id;
mod key_access;
mod pattern;

pub use expand::Expand;
pub use id::{IdScope, ObjectId, reference};
pub use key_access::KeyAccess;
pub use pattern::Pattern;
