//! Access tokens: JWTs by RFC 9068, signed with keys that all nodes share.

mod claims;
mod entity;
mod issue;
mod keys;
mod verify;

pub use claims::{Claims, SCOPE};
pub use issue::{IssuedToken, Issuer, Subject};
pub use keys::{Algorithm, KeyRing};
pub use verify::Verifier;
