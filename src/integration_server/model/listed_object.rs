//! Objects of a list as a plan reads them.

use std::ops::Range;

use super::RemoteId;

/// An object of a list: the text of the members that are needed, and where it stands in the list.
/// Lists are ordered by name, then by identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The text of all members: one allocation for each object.
    text: String,
    values: Vec<Option<Range<usize>>>,
}

impl ListedObject {
    /// An object with the values of its members; the first two are its identifier, which is replaced
    /// by its canonical text, and its name.
    pub fn new(id: &RemoteId, values: &[Option<impl AsRef<str>>]) -> Self {
        let mut text = id.canonical();
        let id = Some(0..text.len());
        let others = values.iter().skip(1).map(|value| {
            let start = text.len();
            text.push_str(value.as_ref()?.as_ref());
            Some(start..text.len())
        });
        Self { values: std::iter::once(id).chain(others).collect(), text }
    }

    /// The name and the identifier. An object without a name has an empty one.
    pub fn place(&self) -> (&str, &str) {
        let mut first = self.values().map(Option::unwrap_or_default);
        let id = first.next().unwrap_or_default();
        (first.next().unwrap_or_default(), id)
    }

    /// The values of its members.
    pub fn values(&self) -> impl Iterator<Item = Option<&str>> {
        self.values.iter().map(|range| Some(&self.text[range.clone()?]))
    }
}
