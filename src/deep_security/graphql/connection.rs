//! Relay connections over the vendor's lists.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::{Context, Object, TypeName};
use bytes::Bytes;
use tokio::sync::SemaphorePermit;
use tokio::task::yield_now;

use super::connection_node::ConnectionNode;
use super::links::read_linked;
use super::selection::ConnectionSelection;
use crate::budget::ResponseMeter;
use crate::deep_security::listing::Listing;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::Resource;
use crate::error::{Error, Result};
use crate::graph::graphql::{
    JsonBuffer, LONG_TEXT, PageInfo, Projected, reserve_long, response_key,
};
use crate::ids::TenantId;
use crate::paging::{cursor, read_cursor};
use crate::projection::{Gap, ProjectedText};

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
    manager: Arc<Manager>,
    listing: Arc<Listing>,
    has_previous: bool,
    selection: Arc<ConnectionSelection<N>>,
}

/// The text of the first objects of a page, which keeps the list and the memory that it holds.
struct FirstObjects {
    listing: Arc<Listing>,
    page: usize,
    output: usize,
    count: usize,
}

impl AsRef<[u8]> for FirstObjects {
    fn as_ref(&self) -> &[u8] {
        self.listing.pages[self.page].texts[self.output].first(self.count)
    }
}

/// An object with its cursor.
pub struct Edge<'a, N> {
    connection: &'a Connection<N>,
    id: i64,
    page: usize,
    /// The index of the object in its page.
    object: usize,
    /// The response key of the field that returns the edges.
    key: Arc<str>,
}

impl<N: ConnectionNode> Connection<N> {
    /// The page of a listing that was read by the plan of that selection; `has_previous` if it
    /// continues after a cursor.
    pub fn new(
        manager: &Arc<Manager>,
        listing: Arc<Listing>,
        has_previous: bool,
        selection: Arc<ConnectionSelection<N>>,
    ) -> Self {
        Self { manager: manager.clone(), listing, has_previous, selection }
    }

    fn cursor(&self, id: i64) -> String {
        cursor(&(N::Resource::COLLECTION, self.manager.tenant(), id))
    }

    /// The ids of the list.
    fn ids(&self) -> impl Iterator<Item = i64> {
        let ids = self.listing.pages.iter().flat_map(|page| &page.kept);
        ids.copied().take(self.listing.count)
    }

    /// The texts of a selection, each with the number of its objects that belong to the list.
    fn texts(&self, output: usize) -> impl Iterator<Item = (&ProjectedText, usize)> {
        let mut missing = self.listing.count;
        self.listing.pages.iter().map(move |page| {
            let count = page.kept.len().min(missing);
            missing -= count;
            (&page.texts[output], count)
        })
    }

    /// The texts of a selection without gaps, as they are.
    fn whole_texts(&self, output: usize) -> Vec<Bytes> {
        let counts = self.texts(output).map(|(_, count)| count).enumerate();
        let text = |(page, count)| {
            let listing = self.listing.clone();
            Bytes::from_owner(FirstObjects { listing, page, output, count })
        };
        counts.filter(|(_, count)| *count > 0).map(text).collect()
    }

    /// The gaps of a selection.
    fn gaps(&self, output: usize) -> impl Iterator<Item = &Gap> {
        self.texts(output).flat_map(|(text, count)| text.gaps_of(count))
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
    async fn edges(&self, ctx: &Context<'_>) -> Vec<Edge<'_, N>> {
        let key: Arc<str> = response_key(ctx).into();
        let pages = self.listing.pages.iter().enumerate();
        let objects = pages.flat_map(|(page, list)| {
            list.kept.iter().enumerate().map(move |(object, id)| (*id, page, object))
        });
        let edge =
            |(id, page, object)| Edge { connection: self, id, page, object, key: key.clone() };
        objects.take(self.listing.count).map(edge).collect()
    }

    /// The items.
    async fn nodes(&self, ctx: &Context<'_>) -> Result<Projected<Vec<N>>> {
        let output = self.selection.nodes.nodes(ctx)?;
        let size: usize = self.texts(output).map(|(text, count)| text.first(count).len() + 1).sum();
        reserve_long(ctx, size).await?;
        if self.gaps(output).next().is_none() {
            return Projected::of_texts(ctx, self.whole_texts(output));
        }
        let links = self.selection.nodes.plan.links(output);
        let linked = read_linked(ctx, &self.manager, links, self.gaps(output)).await;
        let _permit = build_permit(ctx, size).await;
        let mut buffer = JsonBuffer::new(ctx, size + 2);
        let objects = self
            .texts(output)
            .flat_map(|(text, count)| (0..count).map(move |object| (text, object)));
        buffer.json.push(b'[');
        for (index, (text, object)) in objects.enumerate() {
            if index > 0 {
                buffer.json.push(b',');
            }
            for error in linked.write(links, text, object, &mut buffer.json) {
                error.report(ctx, Some(index));
            }
            if buffer.charge_step()? {
                // Other tasks of this thread must not wait for the whole list.
                yield_now().await;
            }
        }
        buffer.json.push(b']');
        buffer.finish()
    }

    /// The number of items that match the filters; null unless this page has all of them, since the
    /// manager reports no total.
    async fn total_count(&self) -> Option<i32> {
        let is_complete = !self.has_previous && !self.listing.has_more;
        is_complete.then(|| self.listing.count.try_into().ok()).flatten()
    }

    /// The position of this page in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.listing.has_more,
            start_cursor: self.ids().next().map(|id| self.cursor(id)),
            end_cursor: self.ids().last().map(|id| self.cursor(id)),
        }
    }
}

/// An item with its cursor.
#[Object(name_type)]
impl<N: ConnectionNode> Edge<'_, N> {
    /// The item's cursor, for `after`.
    async fn cursor(&self) -> String {
        self.connection.cursor(self.id)
    }

    /// The item.
    async fn node(&self, ctx: &Context<'_>) -> Result<Projected<N>> {
        let Self { connection, page, object, key, .. } = self;
        let output = connection.selection.nodes.node(key, ctx)?;
        let links = connection.selection.nodes.plan.links(output);
        let text = &connection.listing.pages[*page].texts[output];
        let (_, gaps, _) = text.object(*object);
        let linked = read_linked(ctx, &connection.manager, links, gaps.iter()).await;
        let mut buffer = JsonBuffer::new(ctx, 256);
        for error in linked.write(links, text, *object, &mut buffer.json) {
            error.report(ctx, None);
        }
        buffer.finish()
    }
}

/// Waits for a permit to write a list of that many bytes, if it is long: written one after the
/// other, long lists of many callers take their memory one after the other too.
async fn build_permit<'a>(ctx: &Context<'a>, size: usize) -> Option<SemaphorePermit<'a>> {
    if size <= LONG_TEXT {
        return None;
    }
    ctx.data_opt::<Arc<ResponseMeter>>()?.build_permit().await
}
