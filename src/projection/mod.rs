//! From an upstream's JSON to the caller's JSON in one pass.
//!
//! A type of objects is described as data ([`ObjectType`]); the [`Plan`] of a selection says which
//! members of an upstream's object are read and how each becomes a field of the response. Reading a
//! body by a plan writes the fields as text at once: no value is built in between, and members that
//! nobody selected are skipped. A field that needs another call stays a [`Gap`] in the text. Of other
//! formats the system's room reads the members of the plan as plain text ([`PlainObjects`]).

mod json;
mod list;
mod object;
mod object_type;
mod plain;
mod plain_objects;
mod plan;
mod scalar;
mod selection;
#[cfg(test)]
mod tests;
mod text;

pub use json::JsonError;
pub use list::{ListReader, ProjectedList};
pub use object::{ObjectReader, ProjectedObject};
pub use object_type::{FieldType, Identity, Kind, ObjectType, Types, Words};
pub use plain_objects::{PlainObjects, ProjectedObjects};
pub use plan::{Link, Plan};
pub use scalar::word;
pub use selection::Selected;
pub use text::{Gap, ProjectedText};
