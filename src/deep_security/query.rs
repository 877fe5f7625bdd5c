//! Queries of lists, as the vendor's search filters.

use bytes::Bytes;

use super::client::ApiRequest;
use super::model::{Expand, Pattern};
use super::wire::{self, Criterion, Resource, SearchFilter};
use crate::error::{Error, Result};

/// The page size of objects without thousands of rule ids.
const PAGE_SIZE: usize = 500;
const FIRST_DEFAULT: usize = 50;
const FIRST_MAX: usize = 5000;

/// A page of a list: filter, cursor and size.
#[derive(Debug)]
pub struct ListQuery {
    first: usize,
    after: i64,
    name: Option<Pattern>,
    criteria: Vec<Criterion>,
    expand: Option<Expand>,
}

impl ListQuery {
    /// A query of the `first` objects, by default 50, with ids greater than `after`.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a `first` below 1 or above 5000, because lists are never truncated
    /// silently.
    pub fn parse(
        first: Option<i32>,
        after: Option<i64>,
        name: Option<&str>,
        criteria: Vec<Criterion>,
    ) -> Result<Self> {
        let first = first.map_or(Some(FIRST_DEFAULT), |first| usize::try_from(first).ok());
        let first = first.filter(|first| (1..=FIRST_MAX).contains(first));
        Ok(Self {
            first: first.ok_or_else(|| Error::bad_input("first", "must be between 1 and 5000"))?,
            after: after.unwrap_or(0),
            name: name.map(Pattern::parse).transpose()?,
            criteria,
            expand: None,
        })
    }

    /// The same query, with these parts of computers.
    pub fn expanded(self, expand: Expand) -> Self {
        Self { expand: Some(expand), ..self }
    }

    /// The most objects of the list.
    pub fn first(&self) -> usize {
        self.first
    }

    /// The id that the list continues after.
    pub fn after(&self) -> i64 {
        self.after
    }

    /// The expanded parts, for computers.
    pub fn expand(&self) -> Option<&Expand> {
        self.expand.as_ref()
    }

    /// The key under which an operation shares the list; it differs wherever the query differs.
    pub fn sharing_key<T: Resource>(&self) -> String {
        format!("{}/{self:?}", T::COLLECTION)
    }

    /// The pattern that names must match, which the manager's search does not guarantee.
    pub fn name(&self) -> Option<&Pattern> {
        self.name.as_ref()
    }

    /// The size of the next page where `missing` objects are still to be found. With a name the
    /// manager may return objects that do not match, so a small page would cost many calls.
    pub fn page_size(&self, missing: usize) -> usize {
        let largest = self.expand.as_ref().map_or(PAGE_SIZE, Expand::page_size);
        let wanted = if self.name.is_some() { missing.max(100) } else { missing };
        largest.min(wanted)
    }

    /// The search for the next page: `size` objects with ids greater than `after`.
    ///
    /// # Errors
    /// None in practice.
    pub fn page_request<T: Resource>(&self, after: i64, size: usize) -> Result<ApiRequest> {
        let by_name = self.name.as_ref().map(|name| name.criterion(T::NAME_FIELD));
        let by_id = Criterion {
            id_test: Some("greater-than"),
            id_value: Some(after),
            ..Criterion::default()
        };
        let search_criteria = self.criteria.iter().chain(&by_name).chain([&by_id]).collect();
        let filter = SearchFilter { max_items: size, search_criteria, sort_by_object_id: true };
        let request = ApiRequest::search(T::COLLECTION, wire::write(&filter)?);
        Ok(match &self.expand {
            Some(expand) => request.with("expand", expand.options()),
            None => request,
        })
    }
}

/// The body of a search for one exact name.
///
/// # Errors
/// None in practice.
pub fn exact_name<T: Resource>(name: &str) -> Result<Bytes> {
    let criterion = Criterion {
        field_name: Some(T::NAME_FIELD.to_owned()),
        string_test: Some("equal"),
        string_value: Some(name.to_owned()),
        // Otherwise `_` would match any character and `%` any text.
        string_wildcards: Some(false),
        ..Criterion::default()
    };
    wire::write(&SearchFilter {
        max_items: PAGE_SIZE,
        search_criteria: vec![&criterion],
        sort_by_object_id: true,
    })
}
