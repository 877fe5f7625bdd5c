//! Passkeys: Web Authentication as a second factor, and as a sign-in of its own.
//!
//! | module | contents |
//! |---|---|
//! | `entity`, `model` | passkeys, ceremonies under way, and what a browser sends |
//! | `service` | registering, signing in, renaming, removing |
//!
//! Every ceremony is kept sealed in the database, works once, within five minutes, and in the
//! browser that it began in: it holds over nodes and a restart.

mod entity;
mod model;
mod service;

pub use model::{Authenticated, Begun, Passkey, Registrant, RelyingParty};
pub use service::{Dependencies, Passkeys, rewrap};
