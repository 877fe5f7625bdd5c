//! Single sign-on: the people of a tenant sign in at its OpenID Connect provider.
//!
//! | module | contents |
//! |---|---|
//! | `entity`, `model` | providers, links of users to accounts, sign-ins under way |
//! | `fault` | the ways in which a provider can fail |
//! | `http_client` | the library's HTTP client on the gateway's own, under its rules |
//! | `discovery` | metadata and keys of providers, kept for some minutes |
//! | `service` | setting providers, and signing in |
//!
//! A provider vouches for accounts of its own tenant and for no others. Its domains decide whose
//! e-mail address it may vouch for; for routing people to a provider they are only a hint: see
//! `docs/people.md`.

mod discovery;
mod entity;
mod fault;
pub mod graphql;
mod http_client;
mod model;
mod service;

pub use fault::{ProviderFault, SignInFailure};
pub use model::{NewProvider, Provider, ProviderSecret};
pub use service::{
    CALLBACK_PATH, Callback, Departure, Dependencies, Link, PasswordPolicy, SignedIn, SingleSignOn,
    Tested, rewrap,
};
