//! Tenants: a tree of partners, organizations and customers.

pub(crate) mod entity;
pub mod graphql;
mod model;
mod service;

pub use model::{NewTenant, Order, OrderBy, Page, Quotas, Tenant, TenantChange, TenantFilter};
pub use service::{Tenants, max_secret_age_seconds, share_policies};
