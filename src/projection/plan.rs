//! Plans: which members of an upstream's object are read, and which fields they become.

use std::sync::Arc;

use super::object_type::{FieldType, Identity, Kind, ObjectType, Types, Words};
use super::selection::Selected;
use crate::error::{Error, Result};
use crate::global_id::NodeKind;

const TYPENAME: &str = "__typename";

/// The plan of one or several selections of the same objects.
#[derive(Debug)]
pub struct Plan {
    pub(super) members: Members,
    pub(super) outputs: Vec<Output>,
    /// The selections as one text: two plans of one type with the same key write the same text.
    key: String,
}

/// The members that are read of an object, by slot. Those of its identity come first.
#[derive(Debug, Default)]
pub(super) struct Members(pub Vec<String>);

/// The fields that one selection writes of each object.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub fields: Vec<PlannedField>,
    pub links: Vec<Link>,
}

/// A field with the text that precedes its value: the comma and the key.
#[derive(Debug)]
pub(super) struct PlannedField {
    pub opening: String,
    pub value: PlannedValue,
}

#[derive(Debug)]
pub(super) enum PlannedValue {
    /// The same text for every object.
    Constant(String),
    /// Converted from the member in that slot.
    Member(usize, Conversion),
    /// An object of members of the same object, in those slots.
    Group(Vec<usize>, Vec<PlannedField>),
}

/// A [`Kind`] with what the selection adds to it.
#[derive(Debug)]
pub(super) enum Conversion {
    GlobalId(NodeKind),
    Id,
    Reference,
    Integer,
    SmallInteger,
    Boolean,
    Text,
    RequiredText,
    Uuid,
    Date,
    Enum(Arc<Words>),
    EnumText(Arc<Words>),
    List(Box<Self>),
    Object(Members, Vec<PlannedField>),
    /// The index of the link.
    Link(usize),
    Json(usize),
}

/// A field whose object another call reads.
#[derive(Debug)]
pub struct Link {
    /// The name of its type in the schema.
    pub target: String,
    /// The response keys from the object to the field.
    pub path: Vec<String>,
    /// Line and column in the document, for errors.
    pub at: (usize, usize),
    /// The plan of its object, with one selection.
    pub plan: Plan,
}

impl Plan {
    /// The plan of these selections of objects of a type.
    ///
    /// # Errors
    /// Internal for a type or field that is not described; the schema has no such field.
    pub fn new(types: &Types, ty: &str, selections: &[&[Selected]]) -> Result<Self> {
        let members = described(types, ty)?.identity.as_ref().map(Members::of);
        Self::reading(members.unwrap_or_default(), types, ty, selections)
    }

    /// The same plan, which reads all members of the type, so that all plans of the type read the
    /// same ones.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn of_all_members(types: &Types, ty: &str, selections: &[&[Selected]]) -> Result<Self> {
        let described = described(types, ty)?;
        let mut members = described.identity.as_ref().map(Members::of).unwrap_or_default();
        members.add_all(types, described)?;
        Self::reading(members, types, ty, selections)
    }

    fn reading(
        mut members: Members,
        types: &Types,
        ty: &str,
        selections: &[&[Selected]],
    ) -> Result<Self> {
        let ty = described(types, ty)?;
        let mut outputs = Vec::with_capacity(selections.len());
        let mut key = String::new();
        for selection in selections {
            Selected::write(selection, &mut key);
            let mut compiler = Compiler { types, path: Vec::new(), links: Vec::new() };
            let fields = compiler.fields(ty, selection, &mut members)?;
            outputs.push(Output { fields, links: compiler.links });
        }
        Ok(Self { members, outputs, key })
    }

    /// A plan that reads only the identity of objects.
    pub fn of_identity(identity: &Identity) -> Self {
        Self { members: Members::of(identity), outputs: Vec::new(), key: String::new() }
    }

    /// The text that identifies the plan among those of its type.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The names of the members that are read of an object: those of its identity and then others,
    /// each once.
    pub fn members(&self) -> &[String] {
        &self.members.0
    }

    /// The links of a selection; gaps refer to them by their index.
    pub fn links(&self, selection: usize) -> &[Link] {
        &self.outputs[selection].links
    }
}

impl Members {
    fn of(identity: &Identity) -> Self {
        Self(vec![identity.id.clone(), identity.name.clone()])
    }

    fn add_all(&mut self, types: &Types, ty: &ObjectType) -> Result<()> {
        for field in &ty.fields {
            match &field.kind {
                Kind::Group(group) => self.add_all(types, described(types, group)?)?,
                _ => {
                    self.slot(&field.member);
                }
            }
        }
        Ok(())
    }

    fn slot(&mut self, member: &str) -> usize {
        let known = self.0.iter().position(|known| known == member);
        known.unwrap_or_else(|| {
            self.0.push(member.to_owned());
            self.0.len() - 1
        })
    }
}

struct Compiler<'a> {
    types: &'a Types,
    path: Vec<String>,
    links: Vec<Link>,
}

impl Compiler<'_> {
    fn fields(
        &mut self,
        ty: &ObjectType,
        selection: &[Selected],
        members: &mut Members,
    ) -> Result<Vec<PlannedField>> {
        let mut fields = Vec::with_capacity(selection.len());
        for (at, selected) in selection.iter().enumerate() {
            let opening = format!("{}\"{}\":", if at == 0 { '{' } else { ',' }, selected.key);
            let value = if selected.name == TYPENAME {
                PlannedValue::Constant(format!("\"{}\"", ty.name))
            } else {
                let field = ty.fields.iter().find(|field| field.name == selected.name);
                let field = field.ok_or_else(|| undescribed(&ty.name, &selected.name))?;
                self.path.push(selected.key.clone());
                let value = self.value(ty, field, selected, members)?;
                self.path.pop();
                value
            };
            fields.push(PlannedField { opening, value });
        }
        Ok(fields)
    }

    fn value(
        &mut self,
        ty: &ObjectType,
        field: &FieldType,
        selected: &Selected,
        members: &mut Members,
    ) -> Result<PlannedValue> {
        if let Kind::Group(group) = &field.kind {
            let group = described(self.types, group)?;
            // All, selected or not: they decide whether the object is there.
            let slots = group.fields.iter().map(|field| members.slot(&field.member)).collect();
            return Ok(PlannedValue::Group(slots, self.fields(group, &selected.below, members)?));
        }
        let slot = members.slot(&field.member);
        Ok(PlannedValue::Member(slot, self.conversion(ty, field, &field.kind, selected)?))
    }

    fn conversion(
        &mut self,
        ty: &ObjectType,
        field: &FieldType,
        kind: &Kind,
        selected: &Selected,
    ) -> Result<Conversion> {
        Ok(match kind {
            Kind::GlobalId => {
                let identity = ty.identity.as_ref();
                let identity = identity.ok_or_else(|| undescribed(&ty.name, &field.name))?;
                Conversion::GlobalId(identity.node)
            }
            Kind::Id => Conversion::Id,
            Kind::Reference => Conversion::Reference,
            Kind::Integer => Conversion::Integer,
            Kind::SmallInteger => Conversion::SmallInteger,
            Kind::Boolean => Conversion::Boolean,
            Kind::Text => Conversion::Text,
            Kind::RequiredText => Conversion::RequiredText,
            Kind::Uuid => Conversion::Uuid,
            Kind::Date => Conversion::Date,
            Kind::Enum(words) => Conversion::Enum(words.clone()),
            Kind::EnumText(words) => Conversion::EnumText(words.clone()),
            Kind::Group(_) => return Err(undescribed(&ty.name, &field.name)),
            Kind::List(item) => {
                Conversion::List(Box::new(self.conversion(ty, field, item, selected)?))
            }
            Kind::Object(part) => {
                let mut members = Members::default();
                let part = described(self.types, part)?;
                let fields = self.fields(part, &selected.below, &mut members)?;
                Conversion::Object(members, fields)
            }
            Kind::Link(target) => {
                self.links.push(Link {
                    target: target.clone(),
                    path: self.path.clone(),
                    at: selected.at,
                    plan: Plan::new(self.types, target, &[&selected.below])?,
                });
                Conversion::Link(self.links.len() - 1)
            }
            Kind::Json(max) => Conversion::Json(*max),
        })
    }
}

fn described<'a>(types: &'a Types, name: &str) -> Result<&'a ObjectType> {
    types.get(name).ok_or_else(|| Error::internal(format!("the type {name} is not described")))
}

fn undescribed(ty: &str, field: &str) -> Error {
    Error::internal(format!("the field {ty}.{field} is not described"))
}
