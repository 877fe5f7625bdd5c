//! Scalars with a specification, references to tenants, and pages of lists.

mod page;
mod scalars;
mod tenant_reference;

pub use page::{Page, Total, page_limit};
pub use scalars::{DateTime, JsonValue};
pub use tenant_reference::{TenantReference, TenantResolver};
