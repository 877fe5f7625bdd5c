//! Objects of the manager: JSON documents with the vendor's field names, numbered per tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// An object; members that are null are absent.
pub(crate) type Object = Map<String, Value>;

/// A literal object.
pub(crate) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::default(),
    }
}

pub(crate) fn number(object: &Object, name: &str) -> Option<i64> {
    object.get(name).and_then(Value::as_i64)
}

pub(crate) fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

pub(crate) fn flag(object: &Object, name: &str) -> bool {
    object.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// A reference; 0 means none.
pub(crate) fn reference(object: &Object, name: &str) -> Option<i32> {
    number(object, name).and_then(|id| i32::try_from(id).ok()).filter(|&id| id != 0)
}

/// The objects of one kind in one tenant. Clones share the objects, so that an answer can be sent
/// while the state changes.
#[derive(Clone, Default)]
pub(crate) struct Collection {
    last: i32,
    objects: BTreeMap<i32, Arc<Object>>,
}

impl Collection {
    /// Adds an object under the next `ID` of the tenant and returns that id.
    pub fn add(&mut self, mut object: Object) -> i32 {
        self.last += 1;
        object.insert("ID".to_owned(), self.last.into());
        self.objects.insert(self.last, Arc::new(object));
        self.last
    }

    pub fn get(&self, id: i32) -> Option<&Arc<Object>> {
        self.objects.get(&id)
    }

    /// Replaces an object.
    pub fn put(&mut self, id: i32, object: Object) {
        self.objects.insert(id, Arc::new(object));
    }

    pub fn remove(&mut self, id: i32) -> Option<Arc<Object>> {
        self.objects.remove(&id)
    }

    /// The objects in the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// Whether another object than `id` has this text in `member`.
    pub fn has_other(&self, id: Option<i32>, member: &str, wanted: &str) -> bool {
        self.objects
            .iter()
            .any(|(&other, object)| Some(other) != id && text(object, member) == Some(wanted))
    }
}
