//! Reads one object.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::plain::{ReadDate, write_plain};
use super::plan::{Conversion, Members, Plan, PlannedField, PlannedValue};
use super::scalar::{Place, Unfit, Written, integer, text, write_scalar};
use super::text::{Gap, ProjectedText};

/// The slots of the identity.
const ID: usize = 0;
const NAME: usize = 1;

/// The key of a member, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct MemberKey<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The text of the members of an object by slot.
pub(super) type Values<'de> = Vec<Option<&'de str>>;

/// The text of one object.
#[derive(Debug)]
pub struct ProjectedObject {
    /// The upstream's id.
    pub id: i64,
    /// Its text: one object.
    pub text: ProjectedText,
    /// The number of values of an unexpected JSON type, which became null.
    pub mismatches: usize,
    /// Whether its text would be too large, and is cut off.
    pub is_too_large: bool,
}

/// Reads one object by the first selection of a plan.
pub struct ObjectReader<'a> {
    /// The plan of the type of the object, which has an identity.
    pub plan: &'a Plan,
    /// Where the upstream's ids are unique.
    pub place: uuid::Uuid,
    /// The most bytes of its text.
    pub largest: usize,
}

impl<'de> DeserializeSeed<'de> for ObjectReader<'_> {
    type Value = ProjectedObject;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<ProjectedObject, D::Error> {
        let mut values = Vec::new();
        MembersSeed { members: &self.plan.members, values: &mut values }.deserialize(from)?;
        let identity = identity::<D::Error>(&values)?;
        let mut writer = Writer::new(Format::Json, self.place, self.largest);
        let mut text = ProjectedText::default();
        let is_too_large = match writer.write(&self.plan.outputs[0].fields, &values, &mut text) {
            Ok(()) => false,
            Err(Unfit::TooLarge) => true,
            Err(unfit) => return Err(malformed(unfit)),
        };
        text.end_object();
        Ok(ProjectedObject { id: identity.id, text, mismatches: writer.mismatches, is_too_large })
    }
}

/// The identity of an object.
pub(super) struct ObjectIdentity<'de> {
    pub id: i64,
    /// Empty if it has none.
    pub name: Cow<'de, str>,
}

/// Reads the identity, in which every JSON type but the documented one is an error.
pub(super) fn identity<'de, E: Error>(values: &Values<'de>) -> Result<ObjectIdentity<'de>, E> {
    let id = values[ID].ok_or_else(|| E::custom("an object has no id"))?;
    let id = integer(id).ok_or_else(|| E::custom("an id is not an integer"))?;
    let name = match values[NAME] {
        None | Some("null") => Cow::Borrowed(""),
        Some(name) => {
            let name = text(name).map_err(malformed::<E>)?;
            name.ok_or_else(|| E::custom("a name is not a string"))?
        }
    };
    Ok(ObjectIdentity { id, name })
}

pub(super) fn malformed<E: Error>(_: Unfit) -> E {
    E::custom("a value is malformed")
}

/// Collects the members of an object by slot.
pub(super) struct MembersSeed<'a, 'de> {
    pub members: &'a Members,
    pub values: &'a mut Values<'de>,
}

impl<'de> DeserializeSeed<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.values.clear();
        self.values.resize(self.members.0.len(), None);
        while let Some(MemberKey(key)) = map.next_key()? {
            match self.members.0.iter().position(|member| *member == key) {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(slot) if self.values[slot].is_some() => {
                    return Err(A::Error::custom("a member stands twice"));
                }
                Some(slot) => self.values[slot] = Some(map.next_value::<&RawValue>()?.get()),
            }
        }
        Ok(())
    }
}

/// How the values of members are written by the system.
#[derive(Clone, Copy)]
pub(super) enum Format<'a> {
    Json,
    /// As plain text, with a function that reads its dates.
    Plain(ReadDate<'a>),
}

/// Writes the fields of objects.
pub(super) struct Writer<'a> {
    format: Format<'a>,
    place: Place,
    /// The number of bytes that may still be written.
    left: usize,
    /// The number of values of an unexpected JSON type so far.
    pub mismatches: usize,
}

impl<'a> Writer<'a> {
    /// A writer of at most that many bytes.
    pub fn new(format: Format<'a>, place: Place, largest: usize) -> Self {
        Self { format, place, left: largest, mismatches: 0 }
    }

    /// Writes one object.
    pub fn write(
        &mut self,
        fields: &[PlannedField],
        values: &Values<'_>,
        to: &mut ProjectedText,
    ) -> Result<(), Unfit> {
        for PlannedField { opening, value } in fields {
            let start = to.json.len();
            to.json.extend_from_slice(opening.as_bytes());
            match value {
                PlannedValue::Constant(text) => to.json.extend_from_slice(text.as_bytes()),
                PlannedValue::Member(slot, conversion) => {
                    let written = match values[*slot] {
                        Some(raw) => self.write_value(conversion, raw, to)?,
                        None => Written::Null,
                    };
                    if written != Written::Value {
                        let is_required = matches!(conversion, Conversion::RequiredText);
                        to.json.extend_from_slice(if is_required { b"\"\"" } else { b"null" });
                    }
                    self.mismatches += usize::from(written == Written::Mismatch);
                }
                PlannedValue::Group(slots, fields) => {
                    let has_value =
                        |slot: &usize| values[*slot].is_some_and(|raw| !self.is_null(raw));
                    if slots.iter().any(has_value) {
                        self.write(fields, values, to)?;
                    } else {
                        to.json.extend_from_slice(b"null");
                    }
                }
            }
            // The object has counted its own fields.
            let is_object = matches!(
                value,
                PlannedValue::Member(_, Conversion::Object(..)) | PlannedValue::Group(..)
            );
            if !is_object {
                self.count(to.json.len() - start)?;
            }
        }
        to.json.extend_from_slice(if fields.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }

    fn is_null(&self, raw: &str) -> bool {
        match self.format {
            Format::Json => raw == "null",
            Format::Plain(_) => raw.is_empty(),
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), Unfit> {
        self.left = self.left.checked_sub(bytes).ok_or(Unfit::TooLarge)?;
        Ok(())
    }

    fn write_value(
        &mut self,
        conversion: &Conversion,
        raw: &str,
        to: &mut ProjectedText,
    ) -> Result<Written, Unfit> {
        if let Format::Plain(date) = self.format {
            return Ok(write_plain(conversion, raw, self.place, date, &mut to.json));
        }
        match conversion {
            Conversion::Object(members, fields) => self.write_part(members, fields, raw, to),
            Conversion::Link(link) => Ok(match integer(raw) {
                Some(0) => Written::Null,
                Some(id) => {
                    to.gaps.push(Gap { at: to.json.len(), link: *link, id });
                    Written::Value
                }
                None if raw == "null" => Written::Null,
                None => Written::Mismatch,
            }),
            scalar => write_scalar(scalar, raw, self.place, &mut to.json),
        }
    }

    fn write_part(
        &mut self,
        members: &Members,
        fields: &[PlannedField],
        raw: &str,
        to: &mut ProjectedText,
    ) -> Result<Written, Unfit> {
        if !raw.starts_with('{') {
            return Ok(if raw == "null" { Written::Null } else { Written::Mismatch });
        }
        let mut values = Vec::new();
        let mut json = serde_json::Deserializer::from_str(raw);
        let seed = MembersSeed { members, values: &mut values };
        seed.deserialize(&mut json).map_err(|_| Unfit::Malformed)?;
        self.write(fields, &values, to)?;
        Ok(Written::Value)
    }
}
