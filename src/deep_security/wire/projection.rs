//! Deserialization of selected fields only.
//!
//! A manager sends each object whole. Skipping the fields that nobody selected saves most of the
//! time and memory of a list with a small selection.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, Visitor,
};

use super::resource::Resource;

/// The fields of an object to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection(Vec<Box<str>>);

impl Projection {
    /// Keeps the fields of these names. Duplicates are dropped, because every field of every object
    /// is compared with all of them.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut fields: Vec<Box<str>> = Vec::new();
        for name in names {
            if !fields.iter().any(|field| **field == *name) {
                fields.push(name.into());
            }
        }
        Self(fields)
    }

    /// Whether a field is kept; lists always need the id and the name.
    fn keeps<T: Resource>(&self, name: &str) -> bool {
        name == "ID" || name == T::NAME_FIELD || self.0.iter().any(|field| **field == *name)
    }
}

/// Deserializes one object, with all its fields if there is no projection.
pub struct ObjectSeed<'a, T>(Option<&'a Projection>, PhantomData<T>);

/// Deserializes a list response, each object whole: `{"<key>": […]}`.
pub struct ListSeed<T>(PhantomData<T>);

struct ProjectedVisitor<'a, T>(&'a Projection, PhantomData<T>);

struct ProjectedMap<'a, T, A> {
    inner: A,
    projection: &'a Projection,
    resource: PhantomData<T>,
}

/// The key of a field, borrowed where it has no escapes.
#[derive(Deserialize)]
struct FieldKey<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a, T> ObjectSeed<'a, T> {
    /// A seed with that projection.
    pub fn with(projection: Option<&'a Projection>) -> Self {
        Self(projection, PhantomData)
    }
}

impl<T> ListSeed<T> {
    /// A seed of a list of these objects.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Resource> DeserializeSeed<'de> for ObjectSeed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        match self.0 {
            Some(projection) => deserializer.deserialize_map(ProjectedVisitor(projection, self.1)),
            None => T::deserialize(deserializer),
        }
    }
}

impl<'de, T: Resource> Visitor<'de> for ProjectedVisitor<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<T, A::Error> {
        let map = ProjectedMap { inner, projection: self.0, resource: self.1 };
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Resource, A: MapAccess<'de>> MapAccess<'de> for ProjectedMap<'_, T, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(FieldKey(key)) = self.inner.next_key()? {
            if self.projection.keeps::<T>(&key) {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            self.inner.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }
}

impl<'de, T: Resource> DeserializeSeed<'de> for ListSeed<T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Resource> Visitor<'de> for ListSeed<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the member {}", T::JSON_KEY)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<T>, A::Error> {
        let mut found = None;
        while let Some(FieldKey(key)) = map.next_key()? {
            if key == T::JSON_KEY {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::missing_field(T::JSON_KEY))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Computer, read};
    use super::*;

    const ONE: &str =
        r#"{"hostName":"a","ID":7,"description":"d","pol\u0069cyID":3,"firewall":{"state":"on"}}"#;

    #[test]
    fn projection_drops_other_fields() {
        let wanted = Projection::new(["policyID", "firewall"]);
        let computer = read(ONE.as_bytes(), ObjectSeed::<Computer>::with(Some(&wanted))).unwrap();
        assert_eq!(
            (computer.id, computer.host_name.as_deref(), computer.policy_id),
            (7, Some("a"), Some(3))
        );
        assert!(computer.description.is_none() && computer.firewall.is_some());
        let whole = read(ONE.as_bytes(), ObjectSeed::<Computer>::with(None)).unwrap();
        assert_eq!(whole.description.as_deref(), Some("d"));
    }

    #[test]
    fn duplicate_field_is_compared_once() {
        let wanted = Projection::new(["policyID", "firewall"].into_iter().cycle().take(2000));
        assert_eq!(wanted, Projection::new(["policyID", "firewall"]));
    }

    #[test]
    fn list_is_read_from_its_json_key() {
        let list = format!(r#"{{"other":[1,{{}}],"computers":[{ONE},{ONE}]}}"#);
        let computers = read(list.as_bytes(), ListSeed::<Computer>::new()).unwrap();
        assert_eq!(computers.iter().map(|computer| computer.id).collect::<Vec<_>>(), [7, 7]);
    }

    #[test]
    fn wrong_json_type_is_refused_with_any_projection() {
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
                    read(wrong.as_bytes(), ObjectSeed::<Computer>::with(wanted)).is_err(),
                    "{wrong}"
                );
            }
        }
        for wrong in
            ["[]", "{}", r#"{"computers":{}}"#, r#"{"computers":[7]}"#, r#"{"policies":[]}"#]
        {
            assert!(read(wrong.as_bytes(), ListSeed::<Computer>::new()).is_err(), "{wrong}");
        }
    }
}
