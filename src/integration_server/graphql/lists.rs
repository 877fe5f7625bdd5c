//! Pages of lists that the server gives whole.

use async_graphql::OutputType;

use crate::error::{Error, Result};
use crate::graph::graphql::{Connection, Edge};
use crate::names::NamePattern;
use crate::paging::{cursor, read_cursor};

const PAGE_SIZE: i32 = 50;
const PAGE_SIZE_MAX: i32 = 5000;

/// The arguments of every such list.
pub struct ListArguments {
    /// The page size.
    pub count: usize,
    after: Option<(String, String)>,
    name: Option<NamePattern>,
}

/// How many entries of a list: 50 if not said.
///
/// # Errors
/// `BAD_USER_INPUT` for anything but 1 to 5000.
pub fn count(first: Option<i32>) -> Result<usize> {
    let first = first.unwrap_or(PAGE_SIZE);
    if !(1..=PAGE_SIZE_MAX).contains(&first) {
        return Err(Error::bad_input("first", "must be 1 to 5000"));
    }
    usize::try_from(first).map_err(Error::internal)
}

impl ListArguments {
    /// Reads the arguments.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the one that is not acceptable.
    pub fn read(first: Option<i32>, after: Option<&str>, name: Option<&str>) -> Result<Self> {
        Ok(Self {
            count: count(first)?,
            after: after.map(|after| read_cursor("after", after)).transpose()?,
            name: name.map(|name| NamePattern::parse("name", name, '%')).transpose()?,
        })
    }

    /// The page of a list that is sorted by those names and identifiers.
    pub fn page<T, N>(
        &self,
        list: &[T],
        place: impl Fn(&T) -> (String, String),
        node: impl Fn(T) -> N,
    ) -> Connection<N>
    where
        T: Clone,
        N: OutputType,
    {
        let fits = |(name, _): &(String, String)| {
            self.name.as_ref().is_none_or(|pattern| pattern.matches(name))
        };
        let behind =
            |place: &(String, String)| self.after.as_ref().is_none_or(|after| place > after);
        let fitting: Vec<_> =
            list.iter().map(|item| (place(item), item)).filter(|(place, _)| fits(place)).collect();
        let total = u64::try_from(fitting.len()).ok();
        let places = fitting.into_iter().filter(|(place, _)| behind(place));
        let mut found: Vec<_> = places.take(self.count + 1).collect();
        let more = found.len() > self.count;
        found.truncate(self.count);
        let edge =
            |(place, item): ((String, String), &T)| Edge::new(cursor(&place), node(item.clone()));
        let edges = found.into_iter().map(edge).collect();
        Connection::new(edges, self.after.is_some(), more, total)
    }
}
