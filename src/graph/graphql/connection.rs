//! Connections (GraphQL Cursor Connections Specification): pages of lists with cursors.

use std::borrow::Cow;

use async_graphql::{Object, OutputType, SimpleObject, TypeName};

/// The position of a page in its list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether items precede this page.
    pub has_previous_page: bool,
    /// Whether items follow this page.
    pub has_next_page: bool,
    /// The cursor of the page's first item; null on an empty page.
    pub start_cursor: Option<String>,
    /// The cursor of the page's last item, for `after`; null on an empty page.
    pub end_cursor: Option<String>,
}

/// A page of a list, named after the type of its items.
pub struct Connection<N> {
    pub(super) edges: Vec<Edge<N>>,
    has_previous_page: bool,
    pub(super) has_next_page: bool,
    pub(super) total: Option<u64>,
}

/// An item with its cursor.
pub struct Edge<N> {
    pub(super) cursor: String,
    pub(super) node: N,
}

impl<N> Edge<N> {
    /// An item of a page.
    pub fn new(cursor: String, node: N) -> Self {
        Self { cursor, node }
    }
}

impl<N> Connection<N> {
    /// A page with these items. `total` counts the list, if the number is known.
    pub fn new(
        edges: Vec<Edge<N>>,
        has_previous_page: bool,
        has_next_page: bool,
        total: Option<u64>,
    ) -> Self {
        Self { edges, has_previous_page, has_next_page, total }
    }
}

impl<N: OutputType> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", <N as OutputType>::type_name()).into()
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", <N as OutputType>::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<N: OutputType> Connection<N> {
    /// The items with their cursors.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The items.
    async fn nodes(&self) -> Vec<&N> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// The position of this page in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |edge: &Edge<N>| edge.cursor.clone();
        PageInfo {
            has_previous_page: self.has_previous_page,
            has_next_page: self.has_next_page,
            start_cursor: self.edges.first().map(cursor),
            end_cursor: self.edges.last().map(cursor),
        }
    }

    /// The number of items that match the filters; null if unknown.
    async fn total_count(&self) -> Option<i32> {
        self.total.and_then(|total| total.try_into().ok())
    }
}

/// An item with its cursor.
#[Object(name_type)]
impl<N: OutputType> Edge<N> {
    /// The item's cursor, for `after`.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The item.
    async fn node(&self) -> &N {
        &self.node
    }
}
