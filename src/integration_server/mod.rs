//! Kaspersky Integration Server: tenants, virtual machines, tasks and reports over its REST API.

pub mod client;
pub mod model;
pub mod wire;
