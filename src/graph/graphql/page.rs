//! Page sizes, and pages of lists that are completely in memory.

use async_graphql::OutputType;

use super::connection::{Connection, Edge};
use crate::error::{Error, Result};
use crate::paging::{PAGE_SIZE, cursor, read_cursor};

/// The page size, by default 50.
///
/// # Errors
/// `BAD_USER_INPUT` for less than 1 and for more than `max`, so that a list is never truncated
/// silently.
pub fn page_limit(first: Option<i32>, max: u64) -> Result<u64> {
    let limit = first.map_or(Some(PAGE_SIZE), |first| u64::try_from(first).ok());
    let limit = limit.filter(|limit| (1..=max).contains(limit));
    limit.ok_or_else(|| Error::bad_input("first", &format!("must be between 1 and {max}")))
}

/// A page of a list that is completely in memory.
pub struct Page {
    limit: usize,
    after: Option<(String, String)>,
}

impl Page {
    /// Parses the arguments of the list.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the argument.
    pub fn read(first: Option<i32>, after: Option<&str>, max: u64) -> Result<Self> {
        Ok(Self {
            limit: usize::try_from(page_limit(first, max)?).map_err(Error::internal)?,
            after: after.map(|after| read_cursor("after", after)).transpose()?,
        })
    }

    /// Returns the page of a list that is ordered by `key`, whose last part is unique.
    pub fn of<T, N: OutputType>(
        &self,
        list: Vec<T>,
        key: impl Fn(&T) -> (String, String),
        node: impl Fn(T) -> N,
    ) -> Connection<N> {
        let total = u64::try_from(list.len()).ok();
        let is_behind =
            |key: &(String, String)| self.after.as_ref().is_none_or(|after| key > after);
        let keyed = list.into_iter().map(|item| (key(&item), item));
        let mut found: Vec<_> = keyed.filter(|(key, _)| is_behind(key)).collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        let edges =
            found.into_iter().map(|(key, item)| Edge::new(cursor(&key), node(item))).collect();
        Connection::new(edges, self.after.is_some(), has_more, total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(first: i32, after: Option<&str>) -> Connection<i32> {
        let key = |number: &i32| (format!("{:02}", number / 2), number.to_string());
        Page::read(Some(first), after, 10).unwrap().of((0..5).rev().collect(), key, |number| number)
    }

    #[test]
    fn pages_follow_one_another_without_a_gap() {
        let mut seen = Vec::new();
        let mut after = None;
        for has_more in [true, true, false] {
            let page = page(2, after.as_deref());
            assert_eq!((page.has_next_page, page.total), (has_more, Some(5)));
            seen.extend(page.edges.iter().map(|edge| edge.node));
            after = page.edges.last().map(|edge| edge.cursor.clone());
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn page_size_out_of_range_is_refused() {
        assert_eq!(page_limit(None, 100).unwrap(), 50);
        for first in [0, -1, i32::MIN, 101, i32::MAX] {
            assert!(page_limit(Some(first), 100).is_err(), "{first}");
        }
        assert!(Page::read(None, Some("rubbish"), 100).is_err());
    }
}
