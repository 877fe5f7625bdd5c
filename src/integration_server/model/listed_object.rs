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
        let id = id.canonical();
        let others: usize = values.iter().skip(1).flatten().map(|value| value.as_ref().len()).sum();
        let mut text = String::with_capacity(id.len() + others);
        text.push_str(&id);
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
        let value = |index: usize| self.values.get(index)?.clone().map(|range| &self.text[range]);
        (value(1).unwrap_or_default(), value(0).unwrap_or_default())
    }

    /// The values of its members.
    pub fn values(&self) -> impl Iterator<Item = Option<&str>> {
        self.values.iter().map(|range| Some(&self.text[range.clone()?]))
    }
}

/// Where the objects of a page stand in their list.
#[derive(Debug, Default)]
pub struct Places {
    /// The name and the identifier of each, one after the other: one allocation for all.
    text: String,
    /// Where name and identifier end.
    ends: Vec<(usize, usize)>,
}

impl Places {
    /// The number of objects.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name and the identifier of an object, by its index.
    pub fn get(&self, index: usize) -> (&str, &str) {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].1);
        let (name_end, end) = self.ends[index];
        (&self.text[start..name_end], &self.text[name_end..end])
    }
}

impl<'a> FromIterator<&'a ListedObject> for Places {
    fn from_iter<I: IntoIterator<Item = &'a ListedObject>>(objects: I) -> Self {
        let mut places = Self::default();
        for object in objects {
            let (name, id) = object.place();
            places.text.push_str(name);
            let name_end = places.text.len();
            places.text.push_str(id);
            places.ends.push((name_end, places.text.len()));
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_objects() {
        let object = |id: &str, name: Option<&'static str>| {
            ListedObject::new(&RemoteId::read(id).unwrap(), &[Some(""), name, None])
        };
        let objects = [object("1", Some("a")), object("2", None), object("33", Some("b c"))];
        let places: Places = objects.iter().collect();
        let all: Vec<_> = (0..places.len()).map(|index| places.get(index)).collect();
        assert_eq!(all, [("a", "1"), ("", "2"), ("b c", "33")]);
        assert_eq!(all, objects.each_ref().map(ListedObject::place));
        assert!(Places::default().is_empty());
    }
}
