//! Pages of lists that the server gives whole.

use super::{ListedObject, ListedObjects};
use crate::names::NamePattern;

/// The query for a page of a list. Lists are ordered by name, then by identifier.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// The most objects.
    pub count: usize,
    /// The name and the identifier that the page continues after.
    pub after: Option<(String, String)>,
    /// The pattern that names match.
    pub name: Option<NamePattern>,
}

/// The objects of a page.
pub struct PageOfObjects<'a> {
    /// The objects.
    pub objects: Vec<ListedObject<'a>>,
    /// Whether more follow.
    pub has_more: bool,
    /// The number of objects of the list whose names match.
    pub total: usize,
}

impl PageQuery {
    /// The page of an ordered list.
    pub fn page<'a>(&self, list: &'a ListedObjects) -> PageOfObjects<'a> {
        let matches = |object: &ListedObject<'_>| {
            self.name.as_ref().is_none_or(|pattern| pattern.matches(object.place().0))
        };
        let matching: Vec<_> = list.iter().filter(matches).collect();
        let after = self.after.as_ref().map(|(name, id)| (name.as_str(), id.as_str()));
        let is_before =
            |object: &ListedObject<'_>| after.is_some_and(|after| object.place() <= after);
        let start = matching.partition_point(is_before);
        let objects: Vec<_> = matching[start..].iter().take(self.count).copied().collect();
        let has_more = start + objects.len() < matching.len();
        PageOfObjects { objects, has_more, total: matching.len() }
    }
}
