//! People who sign in: their roles, passwords, one-time passwords, recovery codes and the one-time
//! links by which they set a password.

mod email;
pub mod entity;
pub mod graphql;
pub mod model;
mod password;
pub mod service;

pub use email::EmailAddress;
pub use model::{
    Factors, Grant, Invitation, Invited, NewUser, PasswordOutcome, PublicUrl, Purpose,
    RecoveryCodes, SecondFactorOutcome, SignInOrigin, TotpEnrolment, User, UserChange, UserFilter,
};
pub use service::{
    FAILURE_ROWS_MAX, Foundation, HASHING_WAIT_MAX, Limits, NoSingleSignOn, SingleSignOnPolicy,
    Users, rewrap,
};
