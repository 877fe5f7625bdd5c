//! Lists, read page by page in ranges of ids.

use std::sync::Arc;

use super::client::{self, ApiResponse};
use super::manager::Manager;
use super::model::Expand;
use super::query::ListQuery;
use super::wire::Resource;
use crate::error::Result;
use crate::outbound::{HeldAnswer, Operation};

/// Objects in the order of their ids.
pub struct Listing<T> {
    /// The objects.
    pub items: Vec<T>,
    /// Whether more objects follow.
    pub has_more: bool,
    /// The memory that the responses occupy, to be held for as long as the objects.
    pub held: Vec<Arc<HeldAnswer>>,
}

impl Manager {
    /// Reads a list. It requests one object more than the query wants, which tells whether more
    /// objects follow without another call.
    ///
    /// # Errors
    /// As [`Manager::send`]; `UPSTREAM_MALFORMED` if the manager ignores the range of ids.
    pub async fn list<T: Resource>(
        &self,
        operation: &Operation,
        query: &ListQuery,
    ) -> Result<Listing<T>> {
        let wanted = query.first() + 1;
        let mut items: Vec<T> = Vec::new();
        let mut held = Vec::new();
        let mut after = query.after();
        while items.len() < wanted {
            let size = query.page_size(wanted - items.len());
            let (page, response) = self.page::<T>(operation, query, after, size).await?;
            held.extend(response.held());
            let is_full = page.len() == size;
            let last = page.last().map(T::id);
            items.extend(page.into_iter().filter(|item| query.matches(item)));
            match last {
                Some(last) if is_full => after = last,
                _ => break,
            }
        }
        let has_more = items.len() > query.first();
        items.truncate(query.first());
        Ok(Listing { items, has_more, held })
    }

    async fn page<T: Resource>(
        &self,
        operation: &Operation,
        query: &ListQuery,
        after: i64,
        size: usize,
    ) -> Result<(Vec<T>, ApiResponse)> {
        let request = query.page_request::<T>(after, size)?;
        let request = request.cached_for(T::cache_ttl(&self.cache_ttl));
        let response = self.send(operation, &request).await?;
        let projection = query.expand().and_then(Expand::projection);
        let read = response.read_list::<T>(&self.backend.outbound, projection, size).await;
        let checked = read.and_then(|page| {
            // A manager that ignores the filter returns everything, and paging would never end.
            if is_within(&page, after, size) {
                Ok(page)
            } else {
                let cause = "the response ignores the requested range of ids".to_owned();
                Err(client::malformed(&response.route, cause))
            }
        });
        let mut page = self.note_malformed(&response.route, checked)?;
        if query.expand().is_some_and(|expand| !expand.keeps_rules()) {
            page.iter_mut().for_each(T::drop_rules);
        }
        Ok((page, response))
    }
}

/// Whether a page has at most `size` objects, with ascending ids above `after`.
fn is_within<T: Resource>(page: &[T], after: i64, size: usize) -> bool {
    let ids = std::iter::once(after).chain(page.iter().map(T::id));
    page.len() <= size && ids.is_sorted_by(|one, other| one < other)
}
