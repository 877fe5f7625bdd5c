//! The sessions of people who have signed in: each is known by a cookie, of which the database has
//! the hash. They hold over all nodes and survive a restart.
//!
//! A session begins with the first factor and is not more than a sign-in under way until the second
//! one completes it. It ends with its time, with the person's password, second factor or account
//! being taken away, and when the person or an administrator ends it.

mod entity;
pub mod graphql;
mod model;
mod service;

pub use model::{NewSession, Session, SessionInfo, SessionSettings, SessionState, Visitor};
pub use service::Sessions;
