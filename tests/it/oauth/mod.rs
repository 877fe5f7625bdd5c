//! The gateway as an OAuth 2 authorization server: what strict clients, resource servers and
//! operators rely on.

pub mod asking;
mod assertions;
mod errors;
mod introspection;
mod master_key;
mod metadata;
mod narrowing;
mod refusals;
mod revocation;
mod rotation;
mod throttle;
mod timing;
