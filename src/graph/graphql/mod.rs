//! Scalars with a specification, references to tenants, pages of lists, and values that were written as
//! JSON before.

mod connection;
mod nodes_plan;
mod page;
mod projected;
mod scalars;
mod tenant_reference;

pub use connection::{Connection, Edge, PageInfo};
pub use nodes_plan::{NodesPlan, response_key, selected_nodes};
pub use page::{Page, page_limit};
pub use projected::{
    JsonBuffer, LONG_TEXT, Projected, charge_text, compile_selection, largest_text, reserve_long,
};
pub use scalars::{DateTime, JsonValue};
pub use tenant_reference::{TenantReference, TenantResolver};
