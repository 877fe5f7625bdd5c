//! The elements of a schema that introspection describes, and their fields.

use apollo_compiler::ast::{
    DirectiveDefinition, DirectiveList, EnumValueDefinition, FieldDefinition, InputValueDefinition,
    Type,
};
use apollo_compiler::schema::{ComponentName, ExtendedType};
use apollo_compiler::{Node, Schema};
use async_graphql::{Name, Value};

/// An object of an introspection type.
pub(super) enum Element<'a> {
    Schema,
    Named(&'a ExtendedType),
    /// A list or a non-null type.
    Wrapping(Type),
    Field(&'a FieldDefinition),
    InputValue(&'a InputValueDefinition),
    EnumValue(&'a EnumValueDefinition),
    Directive(&'a DirectiveDefinition),
}

/// The value of a field of an element.
pub(super) enum Answer<'a> {
    Leaf(Value),
    Element(Element<'a>),
    Elements(Vec<Element<'a>>),
}

impl<'a> Answer<'a> {
    pub(super) fn null() -> Self {
        Self::Leaf(Value::Null)
    }

    pub(super) fn named(definition: &'a ExtendedType) -> Self {
        Self::Element(Element::Named(definition))
    }

    fn text(text: Option<impl Into<String>>) -> Self {
        Self::Leaf(text.map_or(Value::Null, |text| Value::String(text.into())))
    }

    fn flag(flag: bool) -> Self {
        Self::Leaf(Value::Boolean(flag))
    }

    fn word(word: &str) -> Self {
        Self::Leaf(Value::Enum(Name::new(word)))
    }

    fn list(elements: impl Iterator<Item = Element<'a>>) -> Self {
        Self::Elements(elements.collect())
    }
}

impl<'a> Element<'a> {
    /// The value of a field. Lists leave deprecated members out unless `with_deprecated`.
    pub(super) fn field(
        &self,
        name: &str,
        schema: &'a Schema,
        with_deprecated: bool,
    ) -> Answer<'a> {
        if name == "__typename" {
            return Answer::text(Some(self.typename()));
        }
        match self {
            Self::Schema => of_schema(schema, name),
            Self::Named(definition) => of_named(definition, name, schema, with_deprecated),
            Self::Wrapping(ty) => of_wrapping(ty, name, schema),
            Self::Field(of) => match name {
                "name" => Answer::text(Some(of.name.as_str())),
                "description" => Answer::text(of.description.as_deref()),
                "args" => inputs(of.arguments.iter(), with_deprecated),
                "type" => type_of(&of.ty, schema),
                _ => deprecation(&of.directives, schema, name),
            },
            Self::InputValue(of) => match name {
                "name" => Answer::text(Some(of.name.as_str())),
                "description" => Answer::text(of.description.as_deref()),
                "type" => type_of(&of.ty, schema),
                "defaultValue" => {
                    let default = of.default_value.as_ref();
                    Answer::text(default.map(|value| value.serialize().no_indent().to_string()))
                }
                _ => deprecation(&of.directives, schema, name),
            },
            Self::EnumValue(of) => match name {
                "name" => Answer::text(Some(of.value.as_str())),
                "description" => Answer::text(of.description.as_deref()),
                _ => deprecation(&of.directives, schema, name),
            },
            Self::Directive(of) => of_directive(of, name, with_deprecated),
        }
    }

    fn typename(&self) -> &'static str {
        match self {
            Self::Schema => "__Schema",
            Self::Named(_) | Self::Wrapping(_) => "__Type",
            Self::Field(_) => "__Field",
            Self::InputValue(_) => "__InputValue",
            Self::EnumValue(_) => "__EnumValue",
            Self::Directive(_) => "__Directive",
        }
    }
}

fn of_schema<'a>(schema: &'a Schema, name: &str) -> Answer<'a> {
    let of = &schema.schema_definition;
    let root = |name: &Option<ComponentName>| {
        let definition = name.as_ref().and_then(|name| schema.types.get(name.as_str()));
        definition.map_or(Answer::null(), Answer::named)
    };
    match name {
        "description" => Answer::text(of.description.as_deref()),
        "types" => Answer::list(schema.types.values().map(Element::Named)),
        "queryType" => root(&of.query),
        "mutationType" => root(&of.mutation),
        "subscriptionType" => root(&of.subscription),
        "directives" => {
            let directives = schema.directive_definitions.values();
            Answer::list(directives.map(|directive| Element::Directive(directive)))
        }
        _ => Answer::null(),
    }
}

fn of_named<'a>(
    of: &'a ExtendedType,
    name: &str,
    schema: &'a Schema,
    with_deprecated: bool,
) -> Answer<'a> {
    match (name, of) {
        ("kind", _) => Answer::word(kind(of)),
        ("name", _) => Answer::text(Some(of.name().as_str())),
        ("description", _) => Answer::text(of.description().map(|text| text.as_str())),
        ("fields", ExtendedType::Object(of)) => {
            fields(of.fields.values().map(|field| &field.node), with_deprecated)
        }
        ("fields", ExtendedType::Interface(of)) => {
            fields(of.fields.values().map(|field| &field.node), with_deprecated)
        }
        ("interfaces", ExtendedType::Object(of)) => {
            named(schema, of.implements_interfaces.iter().map(|name| name.as_str()))
        }
        ("interfaces", ExtendedType::Interface(of)) => {
            named(schema, of.implements_interfaces.iter().map(|name| name.as_str()))
        }
        ("possibleTypes", ExtendedType::Union(of)) => {
            named(schema, of.members.iter().map(|name| name.as_str()))
        }
        ("possibleTypes", ExtendedType::Interface(of)) => {
            let objects = schema.types.values().filter(|other| other.is_object());
            let implements =
                objects.filter(|object| schema.is_subtype(&of.name, object.name().as_str()));
            Answer::list(implements.map(Element::Named))
        }
        ("enumValues", ExtendedType::Enum(of)) => {
            let values = of.values.values().map(|value| &value.node);
            let shown = values.filter(|of| with_deprecated || !is_deprecated(&of.directives));
            Answer::list(shown.map(|value| Element::EnumValue(value)))
        }
        ("inputFields", ExtendedType::InputObject(of)) => {
            inputs(of.fields.values().map(|field| &field.node), with_deprecated)
        }
        ("isOneOf", ExtendedType::InputObject(of)) => Answer::flag(of.directives.has("oneOf")),
        ("specifiedByURL", ExtendedType::Scalar(of)) => {
            let directive = of.directives.get("specifiedBy");
            let url = directive.and_then(|found| found.specified_argument_by_name("url"));
            Answer::text(url.and_then(|url| url.as_str()))
        }
        _ => Answer::null(),
    }
}

fn kind(of: &ExtendedType) -> &'static str {
    match of {
        ExtendedType::Scalar(_) => "SCALAR",
        ExtendedType::Object(_) => "OBJECT",
        ExtendedType::Interface(_) => "INTERFACE",
        ExtendedType::Union(_) => "UNION",
        ExtendedType::Enum(_) => "ENUM",
        ExtendedType::InputObject(_) => "INPUT_OBJECT",
    }
}

fn of_wrapping<'a>(of: &Type, name: &str, schema: &'a Schema) -> Answer<'a> {
    match (name, of) {
        ("kind", Type::List(_)) => Answer::word("LIST"),
        ("kind", _) => Answer::word("NON_NULL"),
        ("ofType", Type::List(item)) => type_of(item, schema),
        ("ofType", Type::NonNullNamed(name)) => type_of(&Type::Named(name.clone()), schema),
        ("ofType", Type::NonNullList(item)) => {
            Answer::Element(Element::Wrapping(Type::List(item.clone())))
        }
        _ => Answer::null(),
    }
}

fn of_directive<'a>(of: &'a DirectiveDefinition, name: &str, with_deprecated: bool) -> Answer<'a> {
    match name {
        "name" => Answer::text(Some(of.name.as_str())),
        "description" => Answer::text(of.description.as_deref()),
        "isRepeatable" => Answer::flag(of.repeatable),
        // The schema's text cannot deprecate a directive.
        "isDeprecated" => Answer::flag(false),
        "args" => inputs(of.arguments.iter(), with_deprecated),
        "locations" => {
            let locations = of.locations.iter().map(|at| Value::Enum(Name::new(at.name())));
            Answer::Leaf(Value::List(locations.collect()))
        }
        _ => Answer::null(),
    }
}

fn type_of<'a>(of: &Type, schema: &'a Schema) -> Answer<'a> {
    match of {
        Type::Named(name) => schema.types.get(name).map_or(Answer::null(), Answer::named),
        wrapping => Answer::Element(Element::Wrapping(wrapping.clone())),
    }
}

fn named<'a>(schema: &'a Schema, names: impl Iterator<Item = &'a str>) -> Answer<'a> {
    Answer::list(names.filter_map(|name| schema.types.get(name)).map(Element::Named))
}

fn fields<'a>(
    of: impl Iterator<Item = &'a Node<FieldDefinition>>,
    with_deprecated: bool,
) -> Answer<'a> {
    let shown = of.filter(|of| with_deprecated || !is_deprecated(&of.directives));
    Answer::list(shown.map(|field| Element::Field(field)))
}

fn inputs<'a>(
    of: impl Iterator<Item = &'a Node<InputValueDefinition>>,
    with_deprecated: bool,
) -> Answer<'a> {
    let shown = of.filter(|of| with_deprecated || !is_deprecated(&of.directives));
    Answer::list(shown.map(|input| Element::InputValue(input)))
}

fn is_deprecated(directives: &DirectiveList) -> bool {
    directives.has("deprecated")
}

fn deprecation<'a>(directives: &DirectiveList, schema: &'a Schema, name: &str) -> Answer<'a> {
    let directive = directives.get("deprecated");
    match name {
        "isDeprecated" => Answer::flag(directive.is_some()),
        "deprecationReason" => {
            let reason = directive.and_then(|found| found.argument_by_name("reason", schema).ok());
            Answer::text(reason.and_then(|reason| reason.as_str()))
        }
        _ => Answer::null(),
    }
}
