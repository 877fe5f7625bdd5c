//! Coercion of JSON values to input types (GraphQL, section 3), with the outcome of graphql-js 16.
//!
//! apollo-compiler's own coercion differs: it refuses an Int written as `1.0` and whole Floats
//! beyond 2^53, does not coerce defaults, and supports neither `@oneOf` nor validation of custom
//! scalars.

use apollo_compiler::ast::Type;
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Number, Value};
use serde_json::{Map, Value as Json};

use super::literal;
use super::schema::SchemaModel;
use super::suggestions;

/// A value that does not match its type, with its path below the variable.
pub(super) struct Problem {
    pub(super) path: String,
    pub(super) message: String,
}

/// Coerces a value to its type. Adds to `problems` each part that does not match; the result is
/// then meaningless.
pub(super) fn json(
    model: &SchemaModel,
    ty: &Type,
    value: &Json,
    path: &mut String,
    problems: &mut Vec<Problem>,
) -> Value {
    if value.is_null() {
        if ty.is_non_null() {
            let message = format!("Expected non-nullable type \"{ty}\" not to be null.");
            problems.push(Problem { path: path.clone(), message });
        }
        return Value::Null;
    }
    if ty.is_list() {
        return list(model, ty.item_type(), value, path, problems);
    }
    let name = ty.inner_named_type().as_str();
    let coerced = match model.schema.types.get(name) {
        Some(ExtendedType::InputObject(object)) => {
            return input_object(model, object, value, path, problems);
        }
        Some(ExtendedType::Enum(known)) => match value.as_str() {
            Some(text) if known.values.contains_key(text) => Ok(Value::Enum(Name::new(text))),
            Some(text) => {
                let suggestion = suggestions::of_enum_value(model, text, name);
                Err(format!("Value does not exist in \"{name}\" enum.{suggestion}"))
            }
            None => Err(format!("Enum \"{name}\" cannot represent non-string value.")),
        },
        _ => scalar(model, name, value),
    };
    coerced.unwrap_or_else(|message| {
        problems.push(Problem { path: path.clone(), message });
        Value::Null
    })
}

fn list(
    model: &SchemaModel,
    item: &Type,
    value: &Json,
    path: &mut String,
    problems: &mut Vec<Problem>,
) -> Value {
    // A single value is coerced to a list of one (section 3.11).
    let Some(items) = value.as_array() else {
        return Value::List(vec![json(model, item, value, path, problems)]);
    };
    let length = path.len();
    let mut coerced = Vec::with_capacity(items.len());
    for (index, each) in items.iter().enumerate() {
        path.push_str(&format!("[{index}]"));
        coerced.push(json(model, item, each, path, problems));
        path.truncate(length);
    }
    Value::List(coerced)
}

fn input_object(
    model: &SchemaModel,
    object: &InputObjectType,
    value: &Json,
    path: &mut String,
    problems: &mut Vec<Problem>,
) -> Value {
    let name = object.name.as_str();
    let Some(given) = value.as_object() else {
        problems.push(Problem {
            path: path.clone(),
            message: format!("Expected type \"{name}\" to be an object."),
        });
        return Value::Null;
    };
    let length = path.len();
    let mut coerced = IndexMap::new();
    for (field, definition) in &object.fields {
        match given.get(field.as_str()) {
            Some(value) => {
                path.push_str(&format!(".{field}"));
                let value = json(model, &definition.ty, value, path, problems);
                path.truncate(length);
                coerced.insert(Name::new(field), value);
            }
            None => {
                if let Some(default) = &definition.default_value {
                    coerced.insert(
                        Name::new(field),
                        literal::constant(model, &definition.ty, default),
                    );
                } else if definition.ty.is_non_null() {
                    let message = format!(
                        "Field \"{field}\" of required type \"{}\" was not provided.",
                        definition.ty
                    );
                    problems.push(Problem { path: path.clone(), message });
                }
            }
        }
    }
    unknown_fields(model, object, given, path, problems);
    if model.is_one_of(name) {
        one_of(name, given, path, problems);
    }
    Value::Object(coerced)
}

fn unknown_fields(
    model: &SchemaModel,
    object: &InputObjectType,
    given: &Map<String, Json>,
    path: &str,
    problems: &mut Vec<Problem>,
) {
    for field in given.keys().filter(|field| !object.fields.contains_key(field.as_str())) {
        let name = &object.name;
        let suggestion = suggestions::of_input_field(model, field, name);
        let message = format!("Field \"{field}\" is not defined by type \"{name}\".{suggestion}");
        problems.push(Problem { path: path.to_owned(), message });
    }
}

fn one_of(name: &str, given: &Map<String, Json>, path: &str, problems: &mut Vec<Problem>) {
    if given.len() != 1 {
        let message = format!("Exactly one key must be specified for OneOf type \"{name}\".");
        problems.push(Problem { path: path.to_owned(), message });
    } else if let Some((field, Json::Null)) = given.iter().next() {
        let path = format!("{path}.{field}");
        problems.push(Problem { path, message: format!("Field \"{field}\" must be non-null.") });
    }
}

fn scalar(model: &SchemaModel, name: &str, value: &Json) -> Result<Value, String> {
    match (name, value) {
        ("Int", Json::Number(number)) => int(number).ok_or_else(|| {
            "Int cannot represent non-integer value or non 32-bit signed integer value.".to_owned()
        }),
        ("Int", _) => Err("Int cannot represent non-integer value.".to_owned()),
        ("Float", Json::Number(number)) => Ok(Value::Number(number.clone())),
        ("Float", _) => Err("Float cannot represent non numeric value.".to_owned()),
        ("String", Json::String(text)) => Ok(Value::String(text.clone())),
        ("String", _) => Err("String cannot represent a non string value.".to_owned()),
        ("Boolean", Json::Bool(value)) => Ok(Value::Boolean(*value)),
        ("Boolean", _) => Err("Boolean cannot represent a non boolean value.".to_owned()),
        ("ID", Json::String(text)) => Ok(Value::String(text.clone())),
        ("ID", Json::Number(number)) => {
            whole(number).map(Value::String).ok_or_else(|| "ID cannot represent value.".to_owned())
        }
        ("ID", _) => Err("ID cannot represent value.".to_owned()),
        _ => custom(model, name, value),
    }
}

fn custom(model: &SchemaModel, name: &str, value: &Json) -> Result<Value, String> {
    let value = Value::from_json(value.clone()).map_err(|error| error.to_string())?;
    match model.scalars.get(name) {
        Some(fits) if !fits(&value) => Err(format!("Expected type \"{name}\".")),
        _ => Ok(value),
    }
}

/// A 32-bit integer; `1.0` is accepted.
fn int(number: &Number) -> Option<Value> {
    let whole = number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        #[allow(clippy::cast_possible_truncation, reason = "whole, and no larger than 32 bits")]
        (float.fract() == 0.0 && float.abs() <= f64::from(u32::MAX)).then_some(float as i64)
    })?;
    i32::try_from(whole).ok().map(Value::from)
}

/// An integer as the text of an ID.
fn whole(number: &Number) -> Option<String> {
    if number.is_i64() || number.is_u64() {
        return Some(number.to_string());
    }
    let float = number.as_f64()?;
    (float.fract() == 0.0 && float.abs() < 1e15).then(|| format!("{float:.0}"))
}
