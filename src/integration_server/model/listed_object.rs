//! Objects of a list as a plan reads them.

use super::RemoteId;

/// The positions of the members that every object has.
const ID: usize = 0;
const NAME: usize = 1;

/// The text of a member: where it begins and ends. An absent one is empty.
type Span = (usize, usize);

const ABSENT: Span = (0, 0);

/// The objects of a list: for each the text of the members that are needed. The first two members
/// are the identifier and the name.
#[derive(Debug)]
pub struct ListedObjects {
    /// The number of members of each object.
    members: usize,
    /// The text of all members of all objects, in one allocation. It is at most as long as the
    /// document: also a value that another one replaced stays in it.
    text: String,
    /// Where the text of each member is, object by object.
    values: Vec<Span>,
}

/// An object that was added to a list.
pub struct AddedObject<'a> {
    text: &'a mut String,
    values: &'a mut [Span],
}

/// An object of a list.
#[derive(Clone, Copy)]
pub struct ListedObject<'a> {
    text: &'a str,
    values: &'a [Span],
}

impl ListedObjects {
    /// A list without objects, each of which will have that many members.
    pub fn new(members: usize) -> Self {
        debug_assert!(members > NAME, "every object has an identifier and a name");
        Self { members, text: String::new(), values: Vec::new() }
    }

    /// Adds an object without values.
    pub fn add(&mut self) -> AddedObject<'_> {
        let start = self.values.len();
        self.values.resize(start + self.members, ABSENT);
        AddedObject { text: &mut self.text, values: &mut self.values[start..] }
    }

    /// Orders the objects by name, then by identifier, and frees reserved memory that they do not
    /// need.
    pub fn sort(&mut self) {
        self.text.shrink_to_fit();
        let mut objects: Vec<_> = self.iter().collect();
        objects.sort_by(|one, other| one.place().cmp(&other.place()));
        let mut values = Vec::with_capacity(self.values.len());
        for object in objects {
            values.extend_from_slice(object.values);
        }
        self.values = values;
    }

    /// The objects in their order.
    pub fn iter(&self) -> impl Iterator<Item = ListedObject<'_>> {
        let object = |values| ListedObject { text: &self.text, values };
        self.values.chunks_exact(self.members).map(object)
    }
}

impl AddedObject<'_> {
    /// Sets a member by its position. Empty text is absent.
    pub fn set(&mut self, member: usize, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        self.values[member] = (start, self.text.len());
    }

    /// Removes the value of a member.
    pub fn clear(&mut self, member: usize) {
        self.values[member] = ABSENT;
    }

    /// Makes the text of the identifier canonical; `false` if it is no valid [`RemoteId`].
    pub fn make_id_canonical(&mut self) -> bool {
        let (start, end) = self.values[ID];
        let id = &mut self.text[start..end];
        RemoteId::make_canonical(id);
        RemoteId::is_valid(id)
    }
}

impl<'a> ListedObject<'a> {
    /// The name and the identifier. An object without a name has an empty one.
    pub fn place(self) -> (&'a str, &'a str) {
        (self.text_at(self.values[NAME]), self.text_at(self.values[ID]))
    }

    /// The values of its members.
    pub fn values(self) -> impl Iterator<Item = Option<&'a str>> {
        let texts = self.values.iter().map(move |span| self.text_at(*span));
        texts.map(|text| Some(text).filter(|text| !text.is_empty()))
    }

    fn text_at(self, (start, end): Span) -> &'a str {
        &self.text[start..end]
    }
}

/// Where the objects of a page are in their list.
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

impl<'a> FromIterator<ListedObject<'a>> for Places {
    fn from_iter<I: IntoIterator<Item = ListedObject<'a>>>(objects: I) -> Self {
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

    /// A list of objects with an identifier and a name, and a third member that is set and cleared.
    fn list(objects: &[(&str, &str)]) -> ListedObjects {
        let mut list = ListedObjects::new(3);
        for (id, name) in objects {
            let mut object = list.add();
            object.set(0, id);
            object.set(1, "an earlier name");
            object.set(1, name);
            object.set(2, "x");
            object.clear(2);
            assert!(object.make_id_canonical());
        }
        list
    }

    #[test]
    fn objects_are_ordered_by_name_then_by_identifier() {
        let mut objects = list(&[("33", "b c"), ("2", "b"), ("1", "b"), ("4", "")]);
        objects.sort();
        let places: Places = objects.iter().collect();
        let all: Vec<_> = (0..places.len()).map(|index| places.get(index)).collect();
        assert_eq!(all, [("", "4"), ("b", "1"), ("b", "2"), ("b c", "33")]);
        assert!(all.iter().copied().eq(objects.iter().map(ListedObject::place)));
        let first: Vec<_> = objects.iter().next().unwrap().values().collect();
        assert_eq!(first, [Some("4"), None, None]);
        assert!(Places::default().is_empty());
    }

    #[test]
    fn identifiers_are_canonical_and_valid() {
        let uuid = "345AE5D6-EEB7-4635-884A-01AC1781DEEB";
        let objects = list(&[(uuid, "upper"), ("T", "text")]);
        let ids: Vec<_> = objects.iter().map(|object| object.place().1.to_owned()).collect();
        assert_eq!(ids, [uuid.to_lowercase(), "T".to_owned()]);
        for bad in ["", "a/b", ".."] {
            let mut objects = ListedObjects::new(2);
            let mut object = objects.add();
            assert!(!object.make_id_canonical());
            object.set(0, bad);
            assert!(!object.make_id_canonical(), "{bad:?}");
        }
    }
}
