//! Relay connections over the vendor's lists.

use std::sync::Arc;

use super::computer::ComputerObject;
use super::inline_resolve::{InlineList, InlineObject};
use super::key::ApiKeyObject;
use super::policy::PolicyObject;
use super::role::RoleObject;
use super::tenant::TenantObject;
use crate::deep_security::listing::Listing;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::{self, Resource};
use crate::error::{Error, Result};
use crate::graph::graphql::PageInfo;
use crate::ids::TenantId;
use crate::outbound::HeldAnswer;
use crate::paging::{cursor, read_cursor};

/// A place in a list: which list, whose, and the id behind which it goes on.
type Place = (String, TenantId, i64);

/// The id behind which a list goes on.
///
/// # Errors
/// `BAD_USER_INPUT` for a cursor of another list, or of another tenant's.
pub fn after<T: Resource>(manager: &Manager, after: Option<&str>) -> Result<Option<i64>> {
    let Some(after) = after else { return Ok(None) };
    let (collection, tenant, id): Place = read_cursor("after", after)?;
    match collection == T::COLLECTION && tenant == manager.tenant() && id >= 0 {
        true => Ok(Some(id)),
        false => Err(Error::bad_input("after", "is not a cursor that this list gave")),
    }
}

/// Declares the connection of a kind of object. Cursors are written only where they are asked for.
macro_rules! connections {
    ($($(#[$doc:meta])* $connection:ident, $edge:ident, $connection_name:literal, $edge_name:literal, $node:ident, $wire:ident;)*) => {$(
        $(#[$doc])*
        pub struct $connection {
            nodes: Vec<$node>,
            tenant: TenantId,
            begun: bool,
            more: bool,
            _held: Vec<Arc<HeldAnswer>>,
        }

        impl $connection {
            /// The objects that were found; `begun` if there was a cursor to go on behind.
            pub fn new(manager: &Arc<Manager>, listing: Listing<wire::$wire>, begun: bool) -> Self {
                let Listing { items, more, held } = listing;
                let nodes = items.into_iter().map(|item| $node::new(manager, item)).collect();
                Self { nodes, tenant: manager.tenant(), begun, more, _held: held }
            }

            fn cursor(&self, node: &$node) -> String {
                cursor(&(<wire::$wire as Resource>::COLLECTION, self.tenant, node.wire().id))
            }
        }

        $(#[$doc])*
        #[async_graphql::Object(name = $connection_name)]
        impl $connection {
            /// The items with their cursors.
            async fn edges(&self) -> Vec<$edge<'_>> {
                self.nodes.iter().map(|node| $edge { connection: self, node }).collect()
            }

            /// The items.
            async fn nodes(&self) -> InlineList<'_, $node> {
                InlineList(&self.nodes)
            }

            /// The number of items that match the filters; null unless this page has all of them,
            /// since the manager reports no total.
            async fn total_count(&self) -> Option<i32> {
                let is_whole = !self.begun && !self.more;
                is_whole.then(|| self.nodes.len().try_into().ok()).flatten()
            }

            /// The position of this page in the list.
            async fn page_info(&self) -> PageInfo {
                PageInfo {
                    has_previous_page: self.begun,
                    has_next_page: self.more,
                    start_cursor: self.nodes.first().map(|node| self.cursor(node)),
                    end_cursor: self.nodes.last().map(|node| self.cursor(node)),
                }
            }
        }

        /// An item with its cursor.
        pub struct $edge<'a> {
            connection: &'a $connection,
            node: &'a $node,
        }

        /// An item with its cursor.
        #[async_graphql::Object(name = $edge_name)]
        impl $edge<'_> {
            /// The item's cursor, for `after`.
            async fn cursor(&self) -> String {
                self.connection.cursor(self.node)
            }

            /// The item.
            async fn node(&self) -> InlineObject<&$node> {
                InlineObject(self.node)
            }
        }
    )*};
}

connections! {
    /// A page of computers, ordered by id.
    ComputerConnection, ComputerEdge, "DeepSecurityComputerConnection", "DeepSecurityComputerEdge", ComputerObject, Computer;
    /// A page of policies, ordered by id.
    PolicyConnection, PolicyEdge, "DeepSecurityPolicyConnection", "DeepSecurityPolicyEdge", PolicyObject, Policy;
    /// A page of roles, ordered by id.
    RoleConnection, RoleEdge, "DeepSecurityRoleConnection", "DeepSecurityRoleEdge", RoleObject, Role;
    /// A page of API keys, ordered by id.
    ApiKeyConnection, ApiKeyEdge, "DeepSecurityApiKeyConnection", "DeepSecurityApiKeyEdge", ApiKeyObject, ApiKey;
    /// A page of tenants, ordered by id.
    TenantConnection, TenantEdge, "DeepSecurityTenantConnection", "DeepSecurityTenantEdge", TenantObject, Tenant;
}
