//! Reading lists in windows of ids (feature F17).

use std::sync::Arc;

use bytes::Bytes;

use super::client::{self, Request};
use super::manager::Manager;
use super::model::{Expand, Pattern};
use super::wire::{self, Criterion, Resource, SearchFilter};
use crate::error::{Error, Result};
use crate::outbound::{HeldAnswer, Operation};

/// Windows of objects that have no parts of thousands of rules.
const WINDOW: usize = 500;
const FIRST: usize = 50;
const FIRST_MAX: usize = 5000;

/// Which objects of a list, and how many.
#[derive(Debug)]
pub struct Query {
    first: usize,
    after: i64,
    name: Option<Pattern>,
    criteria: Vec<Criterion>,
    expand: Option<Expand>,
}

impl Query {
    /// A query of `first` objects, 50 if absent.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for less than 1 or more than 5000: a list is never cut short without saying
    /// so.
    pub fn parse(
        first: Option<i32>,
        after: Option<i64>,
        name: Option<&str>,
        criteria: Vec<Criterion>,
    ) -> Result<Self> {
        let first = first.map_or(Some(FIRST), |first| usize::try_from(first).ok());
        let first = first.filter(|first| (1..=FIRST_MAX).contains(first));
        Ok(Self {
            first: first.ok_or_else(|| Error::bad_input("first", "must be between 1 and 5000"))?,
            after: after.unwrap_or(0),
            name: name.map(Pattern::parse).transpose()?,
            criteria,
            expand: None,
        })
    }

    /// Under which name what it finds is shared within an operation: another for every query that
    /// differs in anything.
    pub fn name<T: Resource>(&self) -> String {
        format!("{}/{self:?}", T::COLLECTION)
    }

    /// The same query of computers with these parts.
    pub fn expanded(self, expand: Expand) -> Self {
        Self { expand: Some(expand), ..self }
    }
}

/// Some objects in the order of their ids, and whether there are more behind them.
pub struct Listing<T> {
    /// The objects.
    pub items: Vec<T>,
    /// Whether there are more.
    pub more: bool,
    /// What they take of the node's memory.
    pub held: Vec<Arc<HeldAnswer>>,
}

/// The body of a search for one exact name.
///
/// # Errors
/// None in practice.
pub fn exactly<T: Resource>(name: &str) -> Result<Bytes> {
    let criterion = Criterion {
        field_name: Some(T::NAME_FIELD.to_owned()),
        string_test: Some("equal"),
        string_value: Some(name.to_owned()),
        // `_` would stand for any character, and `%` for any text.
        string_wildcards: Some(false),
        ..Criterion::default()
    };
    wire::write(&SearchFilter {
        max_items: WINDOW,
        search_criteria: vec![&criterion],
        sort_by_object_id: true,
    })
}

impl Manager {
    /// Reads a list. One object more than wanted is asked for, so that whether there are more is
    /// known without a call of its own.
    ///
    /// # Errors
    /// As every call; `UPSTREAM_MALFORMED` if the manager does not keep to the window.
    pub async fn list<T: Resource>(
        &self,
        operation: &Operation,
        query: &Query,
    ) -> Result<Listing<T>> {
        let wanted = query.first + 1;
        let largest = query.expand.as_ref().map_or(WINDOW, Expand::window);
        let mut items: Vec<T> = Vec::new();
        let mut held = Vec::new();
        let mut after = query.after;
        let by_name = query.name.as_ref().map(|name| name.criterion(T::NAME_FIELD));
        while items.len() < wanted {
            // What does not fit the name after all is asked for too: then a small window would be
            // many calls.
            let missing = wanted - items.len();
            let window = if query.name.is_some() {
                largest.min(missing.max(100))
            } else {
                largest.min(missing)
            };
            let (page, answer) =
                self.window::<T>(operation, query, by_name.as_ref(), after, window).await?;
            held.extend(answer);
            let (count, last) = (page.len(), page.last().map(T::id));
            items.extend(
                page.into_iter()
                    .filter(|item| query.name.as_ref().is_none_or(|name| name.fits(item.name()))),
            );
            match last {
                Some(last) if count == window => after = last,
                _ => break,
            }
        }
        let more = items.len() > query.first;
        items.truncate(query.first);
        Ok(Listing { items, more, held })
    }

    async fn window<T: Resource>(
        &self,
        operation: &Operation,
        query: &Query,
        by_name: Option<&Criterion>,
        after: i64,
        window: usize,
    ) -> Result<(Vec<T>, Option<Arc<HeldAnswer>>)> {
        let behind = Criterion {
            id_test: Some("greater-than"),
            id_value: Some(after),
            ..Criterion::default()
        };
        let search_criteria = query.criteria.iter().chain(by_name).chain([&behind]).collect();
        let filter = SearchFilter { max_items: window, search_criteria, sort_by_object_id: true };
        let request = Request::search(T::COLLECTION, wire::write(&filter)?);
        let mut request = request.cached_for(T::cache_ttl(&self.cache_ttl));
        if let Some(expand) = &query.expand {
            request = request.with("expand", expand.options());
        }
        let (route, reply) = self.send(operation, &request).await?;
        let members = query.expand.as_ref().and_then(Expand::members);
        let read = reply.read_list::<T>(&self.service.outbound, &route, members, window).await;
        let mut page = self.understood(
            &route,
            read.and_then(|page| {
                let ids = std::iter::once(after).chain(page.iter().map(T::id));
                // A filter that was not understood returns everything, and one read twice would
                // never end.
                match page.len() <= window && ids.is_sorted_by(|one, two| one < two) {
                    true => Ok(page),
                    false => Err(client::malformed(
                        &route,
                        "the answer does not keep to the window of ids".to_owned(),
                    )),
                }
            }),
        )?;
        // Of thousands of computers with thousands of rules each.
        if query.expand.as_ref().is_some_and(|expand| !expand.rules()) {
            page.iter_mut().for_each(T::forget_rules);
        }
        Ok((page, reply.held))
    }
}
