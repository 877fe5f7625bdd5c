//! Introspection (GraphQL, section 4): `__schema` and `__type`, answered from the schema that
//! documents are validated against.
//!
//! async-graphql answers `interfaces: null` for interfaces, describes every schema with the same
//! fixed sentence, and describes its own introspection types in other words and with other
//! nullability than the specification. The executor of apollo-compiler does not know `isOneOf`.

mod element;

use apollo_compiler::Schema;
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};

use super::normal_form::{Field, Selections};
use super::variables::Variables;
use super::weight::weigh;
use crate::budget::ResponseMeter;
use element::{Answer, Element};

/// The answer was larger than a response may be.
struct TooLarge;

/// Answers the introspection fields of one operation.
pub(super) struct Introspection<'a> {
    schema: &'a Schema,
    variables: &'a Variables,
    meter: Option<&'a ResponseMeter>,
}

impl<'a> Introspection<'a> {
    /// Answers from that schema. `meter` counts what is built.
    pub(super) fn new(
        schema: &'a Schema,
        variables: &'a Variables,
        meter: Option<&'a ResponseMeter>,
    ) -> Self {
        Self { schema, variables, meter }
    }

    /// The introspection fields among those at the root, with their values. Stops when the response
    /// becomes too large; the meter keeps the error.
    pub(super) fn members(&self, root: &'a [Field]) -> IndexMap<Name, Value> {
        let mut members = IndexMap::new();
        for field in root.iter().filter(|field| field.is_introspection()) {
            let answer = match field.name.as_str() {
                "__schema" => Answer::Element(Element::Schema),
                _ => self.type_by_name(field),
            };
            let Ok(value) = self.value(answer, field) else { break };
            members.insert(field.key.clone(), value);
        }
        members
    }

    fn type_by_name(&self, field: &Field) -> Answer<'a> {
        match self.argument(field, "name") {
            Some(Value::String(name)) => {
                self.schema.types.get(name.as_str()).map_or(Answer::null(), Answer::named)
            }
            _ => Answer::null(),
        }
    }

    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let argument = field.arguments.iter().find(|argument| argument.name == name)?;
        argument.fill(self.variables)
    }

    fn value(&self, answer: Answer<'a>, field: &'a Field) -> Result<Value, TooLarge> {
        match answer {
            Answer::Leaf(value) => Ok(value),
            Answer::Element(element) => self.object(&element, field.below.as_ref()),
            Answer::Elements(elements) => {
                let below = field.below.as_ref();
                let objects = elements.iter().map(|element| self.object(element, below));
                objects.collect::<Result<_, _>>().map(Value::List)
            }
        }
    }

    fn object(
        &self,
        element: &Element<'a>,
        selected: Option<&'a Selections>,
    ) -> Result<Value, TooLarge> {
        let fields = selected.and_then(|selected| selected.fields(None)).unwrap_or_default();
        let mut members = IndexMap::with_capacity(fields.len());
        for field in fields {
            let with_deprecated =
                self.argument(field, "includeDeprecated") == Some(Value::Boolean(true));
            let answer = element.field(&field.name, self.schema, with_deprecated);
            let value = self.value(answer, field)?;
            self.charge(&value)?;
            members.insert(field.key.clone(), value);
        }
        let object = Value::Object(members);
        self.charge(&object)?;
        Ok(object)
    }

    fn charge(&self, value: &Value) -> Result<(), TooLarge> {
        self.meter.map_or(Ok(()), |meter| meter.charge(weigh(value)).map_err(|_| TooLarge))
    }
}
