//! Pages of objects that were projected.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, OutputType, TypeName};
use bytes::Bytes;

use super::object_types::types;
use crate::error::Result;
use crate::graph::graphql::{
    JsonBuffer, NodesPlan, PageInfo, Projected, charge_text, compile_selection, reserve_long,
    response_key, selected_nodes,
};
use crate::integration_server::client::ObjectPage;
use crate::paging::cursor;
use crate::projection::{Plan, Selected};

/// The compiled selection of a field that returns a connection of objects of the type `N`.
pub struct ConnectionSelection<N> {
    /// The plan of the nodes.
    pub nodes: NodesPlan,
    node: PhantomData<fn() -> N>,
}

impl<N: OutputType + 'static> ConnectionSelection<N> {
    /// The selection of the resolver's field.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn of(ctx: &Context<'_>) -> Result<Arc<Self>> {
        compile_selection(ctx, |selected| {
            let nodes = NodesPlan::new(selected_nodes(selected), |nodes: &[&[Selected]]| {
                Plan::of_all_members(types(), &N::type_name(), nodes)
            })?;
            Ok(Self { nodes, node: PhantomData })
        })
    }
}

/// A page of a list. Cursors are encoded only where they are selected.
pub struct ObjectConnection<N> {
    selection: Arc<ConnectionSelection<N>>,
    page: Arc<ObjectPage>,
    has_previous: bool,
}

/// An object with its cursor.
pub struct ObjectEdge<'a, N> {
    connection: &'a ObjectConnection<N>,
    /// The index of the object in its page.
    object: usize,
    /// The response key of the field that returns the edges.
    key: &'a str,
}

/// The text of all objects of a page.
struct WholePage {
    page: Arc<ObjectPage>,
    output: usize,
}

impl AsRef<[u8]> for WholePage {
    fn as_ref(&self) -> &[u8] {
        self.page.texts[self.output].first(self.page.places.len())
    }
}

impl<N> ObjectConnection<N> {
    /// The page that was read by the plan of that selection; `has_previous` if it continues after a
    /// cursor.
    ///
    /// # Errors
    /// `OPERATION_TOO_COSTLY` if its text is too large.
    pub fn new(
        ctx: &Context<'_>,
        selection: Arc<ConnectionSelection<N>>,
        page: Arc<ObjectPage>,
        has_previous: bool,
    ) -> Result<Self> {
        charge_text(ctx, page.size(), page.is_too_large)?;
        Ok(Self { selection, page, has_previous })
    }

    fn cursor(&self, object: usize) -> String {
        cursor(&self.page.places.get(object))
    }
}

impl<N: OutputType> TypeName for ObjectConnection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", <N as OutputType>::type_name()).into()
    }
}

impl<N: OutputType> TypeName for ObjectEdge<'_, N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", <N as OutputType>::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<N: OutputType> ObjectConnection<N> {
    /// The items with their cursors.
    async fn edges<'a>(&'a self, ctx: &Context<'a>) -> Vec<ObjectEdge<'a, N>> {
        let key = response_key(ctx);
        let edge = |object| ObjectEdge { connection: self, object, key };
        (0..self.page.places.len()).map(edge).collect()
    }

    /// The items.
    async fn nodes(&self, ctx: &Context<'_>) -> Result<Projected<Vec<N>>> {
        let output = self.selection.nodes.nodes(ctx)?;
        let text = WholePage { page: self.page.clone(), output };
        reserve_long(ctx, text.as_ref().len()).await?;
        let texts = (!self.page.places.is_empty()).then(|| Bytes::from_owner(text));
        Projected::of_texts(ctx, texts.into_iter().collect())
    }

    /// The position of this page in the list.
    async fn page_info(&self) -> PageInfo {
        let last = self.page.places.len().checked_sub(1);
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.page.has_more,
            start_cursor: last.map(|_| self.cursor(0)),
            end_cursor: last.map(|last| self.cursor(last)),
        }
    }

    /// The number of items that match the filters; null if unknown.
    async fn total_count(&self) -> Option<i32> {
        self.page.total.try_into().ok()
    }
}

/// An item with its cursor.
#[Object(name_type)]
impl<N: OutputType> ObjectEdge<'_, N> {
    /// The item's cursor, for `after`.
    async fn cursor(&self) -> String {
        self.connection.cursor(self.object)
    }

    /// The item.
    async fn node(&self, ctx: &Context<'_>) -> Result<Projected<N>> {
        let output = self.connection.selection.nodes.node(self.key, ctx)?;
        let (json, ..) = self.connection.page.texts[output].object(self.object);
        let mut buffer = JsonBuffer::new(ctx, json.len());
        buffer.json.extend_from_slice(json);
        buffer.finish()
    }
}
