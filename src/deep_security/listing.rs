//! Lists, read page by page in ranges of ids.

use std::sync::Arc;

use super::client::{self, ApiResponse, ListProjection};
use super::manager::Manager;
use super::query::ListQuery;
use super::wire::Resource;
use crate::error::Result;
use crate::outbound::{HeldAnswer, Operation};
use crate::projection::{Plan, ProjectedList};

/// Objects in the order of their ids, as text.
#[derive(Default)]
pub struct Listing {
    /// The pages; the last one may have more objects than belong to the list.
    pub pages: Vec<Arc<ProjectedList>>,
    /// Whether the text would be larger than the largest allowed. Then the list is not complete.
    pub is_too_large: bool,
    /// The number of objects of the list.
    pub count: usize,
    /// Whether more objects follow.
    pub has_more: bool,
    /// The memory that the pages occupy, to be held as long as they are.
    held: Vec<HeldPage>,
}

/// The memory of a page: that of its response, until the body is dropped.
struct HeldPage {
    held: Arc<HeldAnswer>,
    /// In bytes.
    without_body: usize,
}

impl Listing {
    /// The bytes of text for which no memory is held: at most the bytes of its body are held for a
    /// page.
    pub fn uncovered(&self) -> usize {
        let covered: usize = self.held.iter().map(|page| page.held.bytes()).sum();
        self.pages.iter().map(|page| page.size()).sum::<usize>().saturating_sub(covered)
    }

    /// Adds a page that was read from this response.
    fn add(&mut self, page: Arc<ProjectedList>, response: ApiResponse) {
        let without_body = page.memory();
        self.held.extend(response.held().map(|held| HeldPage { held, without_body }));
        self.count += page.kept.len();
        self.is_too_large = page.is_too_large;
        self.pages.push(page);
        // The bodies are dropped, but for those that others still read.
        for page in &mut self.held {
            if let Some(held) = Arc::get_mut(&mut page.held) {
                held.shrink_to(page.without_body);
            }
        }
    }
}

/// The bounds of one page.
struct PageBounds {
    /// The id that the page continues after.
    after: i64,
    /// The most objects.
    size: usize,
    /// The most bytes of text.
    largest: usize,
}

impl Manager {
    /// Reads a list by a plan of the type `T`, into at most `largest` bytes of text. It requests
    /// one object more than the query wants, which tells whether more objects follow without
    /// another call.
    ///
    /// # Errors
    /// As [`Manager::send`]; `UPSTREAM_MALFORMED` if the manager ignores the range of ids.
    pub async fn list<T: Resource>(
        &self,
        operation: &Operation,
        query: &ListQuery,
        plan: &Arc<Plan>,
        largest: usize,
    ) -> Result<Listing> {
        let wanted = query.first() + 1;
        let mut listing = Listing::default();
        let mut left = largest;
        let mut after = query.after();
        while listing.count < wanted {
            let size = query.page_size(wanted - listing.count);
            let (page, response) = self
                .page::<T>(operation, query, plan, PageBounds { after, size, largest: left })
                .await?;
            let is_full = page.ids.len() == size;
            let last = page.ids.last().copied();
            left = left.saturating_sub(page.size());
            listing.add(page, response);
            match last {
                Some(last) if is_full && !listing.is_too_large => after = last,
                _ => break,
            }
        }
        listing.has_more = listing.count > query.first();
        listing.count = listing.count.min(query.first());
        Ok(listing)
    }

    async fn page<T: Resource>(
        &self,
        operation: &Operation,
        query: &ListQuery,
        plan: &Arc<Plan>,
        bounds: PageBounds,
    ) -> Result<(Arc<ProjectedList>, ApiResponse)> {
        let PageBounds { after, size, largest } = bounds;
        let request = query.page_request::<T>(after, size)?;
        let request = request.cached_for(T::cache_ttl(&self.cache_ttl));
        let response = self.send(operation, &request).await?;
        let list = ListProjection {
            plan: plan.clone(),
            member: T::JSON_KEY,
            limit: size,
            place: self.ids().scope_of(T::NODE_KIND),
            largest,
            name: query.name().cloned(),
        };
        let read = response.project_list(&self.backend.outbound, list).await;
        let checked = read.and_then(|page| {
            // A manager that ignores the filter returns everything, and paging would never end.
            if is_within(&page, after, size) {
                Ok(page)
            } else {
                let cause = "the response ignores the requested range of ids".to_owned();
                Err(client::malformed(&response.route, cause))
            }
        });
        let page = self.note_malformed(&response.route, checked)?;
        Ok((page, response))
    }
}

/// Whether a page has at most `size` objects, with ascending ids above `after`.
fn is_within(page: &ProjectedList, after: i64, size: usize) -> bool {
    let ids = std::iter::once(after).chain(page.ids.iter().copied());
    page.ids.len() <= size && ids.is_sorted_by(|one, other| one < other)
}
