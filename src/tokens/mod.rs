//! Access tokens: JWTs by RFC 9068, signed with keys that all nodes share; and the assertions that
//! clients sign.

mod algorithm;
mod assertion;
mod claims;
mod dummy_keys;
mod entity;
mod issue;
mod keys;
mod public_key;
mod revocation;
mod rotation;
mod schedule;
mod signer;
mod verify;

pub use algorithm::Algorithm;
pub use assertion::{Assertion, Proof};
pub use claims::{Claims, SCOPE, SubjectType};
pub use entity::{holds_sealed_keys, require_master_key};
pub use issue::{Authentication, IssuedToken, Issuer, Narrowing, Subject, UserSubject};
pub use keys::KeyRing;
pub use public_key::PublicKey;
pub use revocation::Revocations;
pub use rotation::{Rotated, Rotation, rewrap};
pub use schedule::{REFRESH_EVERY, Schedule};
pub use verify::Verifier;
