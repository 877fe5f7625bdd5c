//! Objects of which not every member is wanted.
//!
//! A manager sends each object whole. What nobody selected is skipped as text: of a list with four
//! fields selected that is most of the work, and most of the memory.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use super::Resource;

/// The members of an object that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection(Vec<Box<str>>);

impl Projection {
    /// Those of these names, each once however often it is named: all of them are looked at for
    /// each member of each object.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut members: Vec<Box<str>> = Vec::new();
        for name in names {
            if !members.iter().any(|member| **member == *name) {
                members.push(name.into());
            }
        }
        Self(members)
    }

    /// What is in order by id and found by name needs both in any case.
    fn hold<T: Resource>(&self, name: &str) -> bool {
        name == "ID" || name == T::NAME_FIELD || self.0.iter().any(|member| **member == *name)
    }
}

/// Reads one object, with all its members if none are named.
pub struct Object<'a, T>(Option<&'a Projection>, PhantomData<T>);

/// Reads the answer to a search: `{"<member>": […]}`. Another root is no list.
pub struct Objects<'a, T>(Items<'a, T>);

struct Items<'a, T> {
    each: Object<'a, T>,
    at_most: usize,
}

struct Selected<'a, T>(&'a Projection, PhantomData<T>);

struct Only<'a, T, A> {
    all: A,
    wanted: &'a Projection,
    of: PhantomData<T>,
}

/// The key of a member, which need not be kept.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a, T> Object<'a, T> {
    /// With these members alone.
    pub fn with(members: Option<&'a Projection>) -> Self {
        Self(members, PhantomData)
    }
}

impl<'a, T> Objects<'a, T> {
    /// With these members of each alone.
    pub fn with(members: Option<&'a Projection>) -> Self {
        Self(Items { each: Object::with(members), at_most: usize::MAX })
    }

    /// No more than so many: one more is an error at once, before the others are read into memory.
    pub fn at_most(self, at_most: usize) -> Self {
        Self(Items { at_most, ..self.0 })
    }
}

impl<'de, T: Resource> DeserializeSeed<'de> for Object<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        match self.0 {
            Some(wanted) => deserializer.deserialize_map(Selected(wanted, self.1)),
            None => T::deserialize(deserializer),
        }
    }
}

impl<'de, T: Resource> Visitor<'de> for Selected<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, all: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(Only { all, wanted: self.0, of: self.1 }))
    }
}

impl<'de, T: Resource, A: MapAccess<'de>> MapAccess<'de> for Only<'_, T, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(Key(key)) = self.all.next_key()? {
            if self.wanted.hold::<T>(&key) {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            self.all.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.all.next_value_seed(seed)
    }
}

impl<'de, T: Resource> DeserializeSeed<'de> for Objects<'_, T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Resource> Visitor<'de> for Objects<'_, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the member {}", T::JSON_KEY)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Vec<T>, A::Error> {
        let mut found = None;
        while let Some(Key(key)) = members.next_key()? {
            if key == T::JSON_KEY {
                let each = Object(self.0.each.0, PhantomData);
                found = Some(members.next_value_seed(Items { each, at_most: self.0.at_most })?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::missing_field(T::JSON_KEY))
    }
}

impl<'de, T: Resource> DeserializeSeed<'de> for Items<'_, T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Resource> Visitor<'de> for Items<'_, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut objects: A) -> Result<Vec<T>, A::Error> {
        let mut read = Vec::new();
        while let Some(object) = objects.next_element_seed(Object(self.each.0, PhantomData))? {
            if read.len() == self.at_most {
                return Err(A::Error::custom("more objects than were asked for"));
            }
            read.push(object);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Computer, read};
    use super::*;

    const ONE: &str =
        r#"{"hostName":"a","ID":7,"description":"d","pol\u0069cyID":3,"firewall":{"state":"on"}}"#;

    #[test]
    fn only_what_is_wanted_is_read() {
        let wanted = Projection::new(["policyID", "firewall"]);
        let computer = read(ONE.as_bytes(), Object::<Computer>::with(Some(&wanted))).unwrap();
        assert_eq!(
            (computer.id, computer.host_name.as_deref(), computer.policy_id),
            (7, Some("a"), Some(3))
        );
        assert!(computer.description.is_none() && computer.firewall.is_some());
        let whole = read(ONE.as_bytes(), Object::<Computer>::with(None)).unwrap();
        assert_eq!(whole.description.as_deref(), Some("d"));
    }

    #[test]
    fn what_is_wanted_a_thousand_times_is_looked_for_once() {
        let wanted = Projection::new(["policyID", "firewall"].into_iter().cycle().take(2000));
        assert_eq!(wanted, Projection::new(["policyID", "firewall"]));
    }

    #[test]
    fn a_list_is_read_by_its_member() {
        let list = format!(r#"{{"other":[1,{{}}],"computers":[{ONE},{ONE}]}}"#);
        for wanted in [None, Some(Projection::new([]))] {
            let computers =
                read(list.as_bytes(), Objects::<Computer>::with(wanted.as_ref())).unwrap();
            assert_eq!(computers.iter().map(|computer| computer.id).collect::<Vec<_>>(), [7, 7]);
            assert_eq!(computers[0].description.is_some(), wanted.is_none());
        }
    }

    #[test]
    fn more_objects_than_were_asked_for_are_not_read() {
        let list = format!(r#"{{"computers":[{ONE},{ONE},{ONE}]}}"#);
        assert!(read(list.as_bytes(), Objects::<Computer>::with(None).at_most(2)).is_err());
        assert_eq!(
            read(list.as_bytes(), Objects::<Computer>::with(None).at_most(3)).unwrap().len(),
            3
        );
    }

    #[test]
    fn what_is_no_object_is_no_object_whatever_is_wanted() {
        let wanted = Projection::new([]);
        for wrong in [
            "[]",
            "7",
            "null",
            "{}",
            r#"{"ID":"7"}"#,
            r#"{"ID":7"#,
            r#"{"ID":7}{"ID":7}"#,
            r#"{"ID":7,"x":NaN}"#,
        ] {
            for wanted in [None, Some(&wanted)] {
                assert!(
                    read(wrong.as_bytes(), Object::<Computer>::with(wanted)).is_err(),
                    "{wrong}"
                );
            }
        }
        for wrong in
            ["[]", "{}", r#"{"computers":{}}"#, r#"{"computers":[7]}"#, r#"{"policies":[]}"#]
        {
            assert!(
                read(wrong.as_bytes(), Objects::<Computer>::with(Some(&wanted))).is_err(),
                "{wrong}"
            );
        }
    }
}
