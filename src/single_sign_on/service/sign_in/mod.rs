//! Sends people to their provider, and takes them back.
//!
//! | module | contents |
//! |---|---|
//! | [`begin`] | records a sign-in and builds the URL of the provider's page |
//! | [`complete`] | takes a callback to the recorded sign-in and finds the account |
//! | `secrets` | nonce and PKCE verifier, sealed while the person is at the provider |

mod begin;
mod complete;
mod secrets;

pub use begin::Departure;
pub use complete::{Callback, SignedIn};
