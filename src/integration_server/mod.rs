//! Kaspersky Integration Server: tenants, virtual machines, tasks and reports over its REST API.
//!
//! The server knows no credentials of tenants, so that everything which keeps tenants apart is
//! here: what a tenant may be shown follows from its link and from the records of its tasks, and
//! whose something is is checked before it is changed.
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

pub use service::IntegrationServer;
