//! Clients: programs with an OAuth `client_id`, secrets, and roles in tenants.

pub(crate) mod entity;
pub mod graphql;
mod model;
mod service;

pub use model::{
    Client, ClientChange, ClientFilter, ClientOrder, Created, DEFAULT_ROLE, Grant, IdempotencyKey,
    NewClient, Rotation, SortBy,
};
pub use service::{AuthenticationFailure, Authenticator, Clients, Limits, Purpose, Refused, Usage};
