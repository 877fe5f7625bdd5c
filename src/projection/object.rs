//! Reads one object.

use std::borrow::Cow;

use super::json::{JsonError, JsonReader, Problem, Read};
use super::plain::{ReadDate, write_plain};
use super::plan::{Conversion, Members, Plan, PlannedField, PlannedValue};
use super::scalar::{Place, Unfit, Written, integer, text, write_scalar};
use super::text::{Gap, ProjectedText};

/// The slots of the identity.
const ID: usize = 0;
const NAME: usize = 1;

/// The most members of an object whose keys are remembered.
const KNOWN_KEYS: usize = 64;

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

impl ObjectReader<'_> {
    /// Reads a body.
    ///
    /// # Errors
    /// If the text is not JSON, the object has no identity, or a member that is read is malformed.
    pub fn read(&self, text: &str) -> Result<ProjectedObject, JsonError> {
        let mut json = JsonReader::new(text);
        self.object(&mut json).map_err(|problem| json.error(problem))
    }

    fn object(&self, json: &mut JsonReader<'_>) -> Read<ProjectedObject> {
        let mut members = MembersReader::of(&self.plan.members);
        members.read(json)?;
        json.end()?;
        let values = &members.values;
        let identity = identity(values)?;
        let mut writer = Writer::new(Format::Json, self.place, self.largest);
        let mut text = ProjectedText::default();
        let is_too_large = match writer.write(&self.plan.outputs[0].fields, values, &mut text) {
            Ok(()) => false,
            Err(Unfit::TooLarge) => true,
            Err(Unfit::Malformed) => return Err(Problem::Mistyped),
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
pub(super) fn identity<'de>(values: &Values<'de>) -> Read<ObjectIdentity<'de>> {
    let id = values[ID].and_then(integer).ok_or(Problem::Mistyped)?;
    let name = match values[NAME] {
        None | Some("null") => Cow::Borrowed(""),
        Some(name) => text(name).ok().flatten().ok_or(Problem::Mistyped)?,
    };
    Ok(ObjectIdentity { id, name })
}

/// Collects the members of objects, one object after the other.
pub(super) struct MembersReader<'a, 'de> {
    members: &'a Members,
    /// Those of the object that was read last.
    pub values: Values<'de>,
    /// The keys of earlier objects by their order, each with its slot: a system writes the members
    /// of all objects in one order.
    known: Vec<(&'de str, Option<usize>)>,
}

impl<'a, 'de> MembersReader<'a, 'de> {
    pub fn of(members: &'a Members) -> Self {
        Self { members, values: Vec::new(), known: Vec::new() }
    }

    /// Reads an object.
    pub fn read(&mut self, json: &mut JsonReader<'de>) -> Read<()> {
        self.values.clear();
        self.values.resize(self.members.0.len(), None);
        let mut members = 0;
        json.object(|json| {
            let slot = self.slot(json, members)?;
            members += 1;
            let Some(slot) = slot else { return json.skip_value() };
            if self.values[slot].is_some() {
                // A member stands twice.
                return Err(Problem::Mistyped);
            }
            self.values[slot] = Some(json.value()?);
            Ok(())
        })
    }

    /// Reads the key of the member that many others precede.
    fn slot(&mut self, json: &mut JsonReader<'de>, before: usize) -> Read<Option<usize>> {
        if let Some((key, slot)) = self.known.get(before)
            && json.skip_key(key)
        {
            return Ok(*slot);
        }
        let key = json.key()?;
        let slot = self.members.0.iter().position(|member| *member == key.name);
        match self.known.get_mut(before) {
            Some(known) => *known = (key.raw, slot),
            None if before < KNOWN_KEYS => self.known.push((key.raw, slot)),
            None => {}
        }
        Ok(slot)
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
        let mut members = MembersReader::of(members);
        members.read(&mut JsonReader::new(raw)).map_err(|_| Unfit::Malformed)?;
        self.write(fields, &members.values, to)?;
        Ok(Written::Value)
    }
}
