//! Objects of a list as a plan reads them.

use super::RemoteId;

/// An object of a list: the text of the members that are needed, and where it stands in the list.
/// Lists are ordered by name, then by identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    values: Vec<Option<String>>,
}

impl ListedObject {
    /// An object with the values of its members; the first two are its identifier, which is replaced
    /// by its canonical text, and its name.
    pub fn new(id: &RemoteId, mut values: Vec<Option<String>>) -> Self {
        values[0] = Some(id.canonical());
        Self { values }
    }

    /// The name and the identifier. An object without a name has an empty one.
    pub fn place(&self) -> (&str, &str) {
        let text = |at: usize| self.values[at].as_deref().unwrap_or_default();
        (text(1), text(0))
    }

    /// The values of its members.
    pub fn values(&self) -> &[Option<String>] {
        &self.values
    }
}
