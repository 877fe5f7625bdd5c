//! Kaspersky Integration Server: tenants, virtual machines, tasks and reports over its REST API.
//!
//! The server has no credentials for each tenant, so this module alone keeps tenants apart: a
//! tenant sees only what its link and the records of its tasks name, and every change checks first
//! that the object belongs to the tenant.
//!
//! | file | what it holds |
//! |---|---|
//! | [`wire`], [`client`] | its XML, and its methods |
//! | [`model`] | what it tells, as we mean it |
//! | [`tasks`] | work that it does after it has answered |
//! | [`service`] | what a tenant may see and do there |
//! | [`graphql`] | the graph |

pub mod client;
pub mod graphql;
pub mod model;
pub mod service;
pub mod tasks;
pub mod wire;

pub use service::{IntegrationServer, WantedPage};
