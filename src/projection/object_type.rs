//! Types of objects, described as data.

use std::sync::Arc;

use crate::global_id::NodeKind;

/// The type of an object in the response and where an upstream's object has its fields.
#[derive(Debug)]
pub struct ObjectType {
    /// The name in the schema.
    pub name: String,
    /// The fields besides `__typename`.
    pub fields: Vec<FieldType>,
    /// The identity of its objects; `None` for an object that is a part of another one.
    pub identity: Option<Identity>,
}

/// The members that identify an object. They are read whether they are selected or not, and an
/// unexpected JSON type in one of them makes the whole body malformed.
#[derive(Debug)]
pub struct Identity {
    /// The type in the global id.
    pub node: NodeKind,
    /// The member with the id, an integer.
    pub id: String,
    /// The member with the name that people know the object by, a string or null.
    pub name: String,
}

/// A field: its name in the schema, the member of the upstream's object, and its conversion.
#[derive(Debug)]
pub struct FieldType {
    /// The name in the schema.
    pub name: String,
    /// The member of the upstream's object.
    pub member: String,
    /// The conversion.
    pub kind: Kind,
}

/// How the value of a member becomes the value of a field. Null and an absent member are null. A
/// value of another JSON type is null and counted as a mismatch.
#[derive(Debug)]
pub enum Kind {
    /// An integer, as the global id of the object.
    GlobalId,
    /// An integer, as a string.
    Id,
    /// An integer, as a string; 0 refers to nothing and is null.
    Reference,
    /// A 64-bit integer.
    Integer,
    /// An integer; null if it exceeds 32 bits.
    SmallInteger,
    /// A boolean.
    Boolean,
    /// A string. Plain text that is empty is null.
    Text,
    /// A string, empty if there is none.
    RequiredText,
    /// A string that is a UUID with hyphens, in lower case; null for any other string.
    Uuid,
    /// Milliseconds since 1970-01-01 UTC, as RFC 3339; null if they are out of range.
    Date,
    /// A string, as an enumeration value.
    Enum(Arc<Words>),
    /// The word of an enumeration: a known one as the documentation of the system writes it, any other
    /// one as it is, at most 100 characters.
    EnumText(Arc<Words>),
    /// An array. One item that is null or of another JSON type makes the whole array a mismatch.
    List(Box<Kind>),
    /// An object that is a part of this one, of the type with that name.
    Object(String),
    /// An object of the type with that name, whose members are those of this object; null if it has
    /// none of them.
    Group(String),
    /// An integer that refers to an object of the type with that name, which another call reads; 0
    /// refers to nothing and is null.
    Link(String),
    /// Any JSON of at most that many bytes. Anything else makes the whole body malformed.
    Json(usize),
}

/// The values of an enumeration: the upstream's word and the value in the schema.
#[derive(Debug)]
pub struct Words {
    /// The known ones.
    pub known: Vec<(String, String)>,
    /// The value for every other word.
    pub unknown: String,
}

impl Words {
    pub(super) fn value(&self, word: &str) -> &str {
        let known = self.known.iter().find(|(known, _)| known == word);
        known.map_or(self.unknown.as_str(), |(_, value)| value.as_str())
    }

    /// The entry of a word in any letter case.
    pub(super) fn entry_of(&self, word: &str) -> Option<&(String, String)> {
        self.known.iter().find(|(known, _)| known.eq_ignore_ascii_case(word))
    }
}

/// The types of one upstream system, which refer to each other by their names.
#[derive(Debug)]
pub struct Types(pub Vec<ObjectType>);

impl Types {
    /// The type with that name in the schema.
    pub fn get(&self, name: &str) -> Option<&ObjectType> {
        self.0.iter().find(|ty| ty.name == name)
    }
}
