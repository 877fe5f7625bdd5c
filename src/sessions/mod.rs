//! Sessions of people who have signed in. A cookie identifies each; the database has its hash.
//! Sessions are valid on all nodes and survive a restart.
//!
//! A session begins with the first factor and opens only the pages of the sign-in until the second
//! factor completes it. It ends with its lifetime, when the person's password, second factor or
//! account is removed, and when the person or an administrator ends it.

mod entity;
pub mod graphql;
mod model;
mod service;

pub use model::{NewSession, Session, SessionInfo, SessionSettings, SessionState, Visitor};
pub use service::Sessions;
