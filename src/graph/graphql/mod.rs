//! Scalars with a specification, references to tenants, and pages of lists.

mod connection;
mod page;
mod scalars;
mod tenant_reference;

pub use connection::{Connection, Edge, PageInfo};
pub use page::{Page, page_limit};
pub use scalars::{DateTime, JsonValue};
pub use tenant_reference::{TenantReference, TenantResolver};
