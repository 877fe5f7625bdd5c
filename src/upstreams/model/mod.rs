//! Installations and links, and the values that they are created from.

mod credential;
mod installation;
mod link;
mod system;

pub use credential::Credential;
pub use installation::{NewUpstream, Upstream, UpstreamChange, certificate, time_zone};
pub(super) use installation::{binding, state};
pub use link::{Link, NewLink, canonical_remote_id, remote_id};
pub(super) use link::{link_state, subject};
pub use system::{Authentication, System};
