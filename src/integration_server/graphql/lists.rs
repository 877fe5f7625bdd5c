//! The arguments of lists.

use crate::error::{Error, Result};
use crate::integration_server::model::PageQuery;
use crate::names::NamePattern;
use crate::paging::read_cursor;

const PAGE_SIZE: i32 = 50;
const PAGE_SIZE_MAX: i32 = 5000;

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

/// Reads the arguments of a list that the server gives whole.
///
/// # Errors
/// `BAD_USER_INPUT` naming the one that is not acceptable.
pub fn page_query(
    first: Option<i32>,
    after: Option<&str>,
    name: Option<&str>,
) -> Result<PageQuery> {
    Ok(PageQuery {
        count: count(first)?,
        after: after.map(|after| read_cursor("after", after)).transpose()?,
        name: name.map(|name| NamePattern::parse("name", name, '%')).transpose()?,
    })
}
