//! Relay connections over the vendor's lists.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::{Object, ObjectType, TypeName};

use super::inline_resolve::{InlineList, InlineObject};
use crate::deep_security::listing::Listing;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::Resource;
use crate::error::{Error, Result};
use crate::graph::graphql::PageInfo;
use crate::ids::TenantId;
use crate::outbound::HeldAnswer;
use crate::paging::{cursor, read_cursor};

/// A GraphQL type of listed objects.
pub trait ConnectionNode: ObjectType + Sized + 'static {
    /// The vendor's object.
    type Resource: Resource;
    /// The name of its connection type.
    const CONNECTION: &'static str;
    /// The name of its edge type.
    const EDGE: &'static str;

    /// The node of an object of this manager.
    fn from_resource(manager: &Arc<Manager>, resource: Self::Resource) -> Self;

    /// The vendor's id.
    fn resource_id(&self) -> i64;
}

/// The content of a cursor: the collection, the tenant, and the id that the list continues after.
type CursorContent = (String, TenantId, i64);

/// Parses a cursor into the id that the list continues after.
///
/// # Errors
/// `BAD_USER_INPUT` for a cursor of another list or another tenant.
pub fn parse_after<T: Resource>(manager: &Manager, after: Option<&str>) -> Result<Option<i64>> {
    let Some(after) = after else { return Ok(None) };
    let (collection, tenant, id): CursorContent = read_cursor("after", after)?;
    if collection == T::COLLECTION && tenant == manager.tenant() && id >= 0 {
        Ok(Some(id))
    } else {
        Err(Error::bad_input("after", "the cursor belongs to a different list"))
    }
}

/// A page of a list. Cursors are encoded only where they are selected.
pub struct Connection<N> {
    nodes: Vec<N>,
    tenant: TenantId,
    has_previous: bool,
    has_next: bool,
    _held: Vec<Arc<HeldAnswer>>,
}

/// An object with its cursor.
pub struct Edge<'a, N> {
    connection: &'a Connection<N>,
    node: &'a N,
}

impl<N: ConnectionNode> Connection<N> {
    /// The page of a listing; `has_previous` if it continues after a cursor.
    pub fn new(manager: &Arc<Manager>, listing: Listing<N::Resource>, has_previous: bool) -> Self {
        let Listing { items, has_more, held } = listing;
        let nodes = items.into_iter().map(|item| N::from_resource(manager, item)).collect();
        Self { nodes, tenant: manager.tenant(), has_previous, has_next: has_more, _held: held }
    }

    fn cursor(&self, node: &N) -> String {
        cursor(&(N::Resource::COLLECTION, self.tenant, node.resource_id()))
    }
}

impl<N: ConnectionNode> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        N::CONNECTION.into()
    }
}

impl<N: ConnectionNode> TypeName for Edge<'_, N> {
    fn type_name() -> Cow<'static, str> {
        N::EDGE.into()
    }
}

/// A page of items, ordered by id.
#[Object(name_type)]
impl<N: ConnectionNode> Connection<N> {
    /// The items with their cursors.
    async fn edges(&self) -> Vec<Edge<'_, N>> {
        self.nodes.iter().map(|node| Edge { connection: self, node }).collect()
    }

    /// The items.
    async fn nodes(&self) -> InlineList<'_, N> {
        InlineList(&self.nodes)
    }

    /// The number of items that match the filters; null unless this page has all of them, since the
    /// manager reports no total.
    async fn total_count(&self) -> Option<i32> {
        let is_complete = !self.has_previous && !self.has_next;
        is_complete.then(|| self.nodes.len().try_into().ok()).flatten()
    }

    /// The position of this page in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.nodes.first().map(|node| self.cursor(node)),
            end_cursor: self.nodes.last().map(|node| self.cursor(node)),
        }
    }
}

/// An item with its cursor.
#[Object(name_type)]
impl<N: ConnectionNode> Edge<'_, N> {
    /// The item's cursor, for `after`.
    async fn cursor(&self) -> String {
        self.connection.cursor(self.node)
    }

    /// The item.
    async fn node(&self) -> InlineObject<&N> {
        InlineObject(self.node)
    }
}
