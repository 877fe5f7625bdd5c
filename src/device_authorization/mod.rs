//! Device authorization (RFC 8628): a program without a browser shows a code, a person who has
//! signed in approves it, and the program gets a token of that person.
//!
//! The codes stand in the database as hashes, so that any node can take the approval and any other
//! can give out the token. Each is good once.

mod entity;
mod held;
mod model;
mod service;
mod user_code;

pub use held::Held;
pub use model::{
    Approval, Approver, DeviceRequest, DeviceSettings, Pending, Polled, ProgramName, StartedRequest,
};
pub use service::DeviceAuthorizations;
pub use user_code::UserCode;
