//! Reads a list of objects.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::object::{Format, MemberKey, MembersSeed, Writer, identity, malformed};
use super::plan::Plan;
use super::scalar::Unfit;
use super::text::ProjectedText;

/// The text of the objects of a list.
#[derive(Debug, Default)]
pub struct ProjectedList {
    /// The upstream's ids of all objects of the body.
    pub ids: Vec<i64>,
    /// The ids of those that were kept, whose text was written.
    pub kept: Vec<i64>,
    /// Their text, for each selection of the plan.
    pub texts: Vec<ProjectedText>,
    /// The number of values of an unexpected JSON type, which became null.
    pub mismatches: usize,
    /// Whether the text would be too large. Then there is none.
    pub is_too_large: bool,
}

impl ProjectedList {
    /// The number of bytes of the text.
    pub fn size(&self) -> usize {
        self.texts.iter().map(ProjectedText::size).sum()
    }

    /// The number of bytes of memory.
    pub fn memory(&self) -> usize {
        let texts: usize = self.texts.iter().map(ProjectedText::memory).sum();
        texts + size_of::<i64>() * (self.ids.capacity() + self.kept.capacity())
    }
}

/// Reads a list body: `{"<member>": […]}`.
pub struct ListReader<'a> {
    /// The plan of the type of the objects, which has an identity.
    pub plan: &'a Plan,
    /// The member with the list.
    pub member: &'a str,
    /// The most objects of the list; one more makes the body malformed before the others are read.
    pub limit: usize,
    /// Where the upstream's ids are unique.
    pub place: uuid::Uuid,
    /// The most bytes of the text, of all selections together.
    pub largest: usize,
    /// Whether an object of that name is kept.
    pub keeps: &'a dyn Fn(&str) -> bool,
}

impl<'de> DeserializeSeed<'de> for ListReader<'_> {
    type Value = ProjectedList;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<ProjectedList, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListReader<'_> {
    type Value = ProjectedList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the member {}", self.member)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ProjectedList, A::Error> {
        let mut found = None;
        while let Some(MemberKey(key)) = map.next_key()? {
            if key == self.member {
                found = Some(map.next_value_seed(Items(&self))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom("the list is missing"))
    }
}

struct Items<'a, 'b>(&'a ListReader<'b>);

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ProjectedList;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<ProjectedList, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ProjectedList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut objects: A) -> Result<ProjectedList, A::Error> {
        let ListReader { plan, limit, place, largest, keeps, .. } = *self.0;
        let mut list = ProjectedList::default();
        list.texts.resize_with(plan.outputs.len(), ProjectedText::default);
        let mut writer = Writer::new(Format::Json, place, largest);
        let mut values = Vec::new();
        loop {
            let seed = MembersSeed { members: &plan.members, values: &mut values };
            if objects.next_element_seed(seed)?.is_none() {
                break;
            }
            if list.ids.len() == limit {
                return Err(A::Error::custom("more objects than requested"));
            }
            let identity = identity::<A::Error>(&values)?;
            list.ids.push(identity.id);
            if keeps(&identity.name) {
                list.kept.push(identity.id);
                for (output, text) in plan.outputs.iter().zip(&mut list.texts) {
                    text.start_object();
                    match writer.write(&output.fields, &values, text) {
                        Ok(()) => text.end_object(),
                        Err(Unfit::TooLarge) => return too_large(objects),
                        Err(unfit) => return Err(malformed(unfit)),
                    }
                }
            }
        }
        list.mismatches = writer.mismatches;
        Ok(list)
    }
}

/// The result for a list whose text would be too large. The rest of the body is still checked.
fn too_large<'de, A: SeqAccess<'de>>(mut objects: A) -> Result<ProjectedList, A::Error> {
    while objects.next_element::<IgnoredAny>()?.is_some() {}
    Ok(ProjectedList { is_too_large: true, ..ProjectedList::default() })
}
