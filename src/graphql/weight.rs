//! The size of values in a response.

use async_graphql::Value;

use crate::budget::Weight;

/// The size of a value in a response, without nested objects, which are counted when they are
/// resolved.
pub fn weigh(value: &Value) -> Weight {
    match value {
        Value::Null | Value::Boolean(_) | Value::Enum(_) => Weight { json: 5, memory: 5 },
        Value::Number(number) => text(if number.is_f64() { 24 } else { 12 }),
        Value::String(string) => text(string.len() + 2),
        // Charged by its resolver, like a nested object.
        Value::Binary(_) => Weight::default(),
        Value::List(values) => {
            let own = Weight { json: 2, memory: values.len() * (size_of::<Value>() + 1) };
            let scalars =
                values.iter().filter(|value| !matches!(value, Value::Object(_) | Value::List(_)));
            scalars.map(weigh).fold(own, sum)
        }
        Value::Object(members) => {
            let names: usize = members.keys().map(|name| name.len() + 4).sum();
            let entry =
                size_of::<Value>() + size_of::<async_graphql::Name>() + 4 * size_of::<usize>();
            Weight { json: names + 2, memory: names + members.len() * entry + 64 }
        }
    }
}

/// The size of a complete value with all that is nested in it.
pub fn weigh_all(value: &Value) -> Weight {
    match value {
        Value::List(values) => {
            let is_counted_later = |value: &&Value| {
                matches!(value, Value::Object(_) | Value::List(_) | Value::Binary(_))
            };
            let nested = values.iter().filter(is_counted_later);
            nested.map(weigh_all).fold(weigh(value), sum)
        }
        Value::Object(members) => members.values().map(weigh_all).fold(weigh(value), sum),
        Value::Binary(json) => weight_of_json(json.len()),
        value => weigh(value),
    }
}

/// The size of the copy in the body of JSON that a value carries. The text itself, which responses
/// may share, is counted where it is written.
pub fn weight_of_json(bytes: usize) -> Weight {
    Weight { json: bytes, memory: bytes }
}

/// The size of a text, in memory and again as JSON, including the allocation.
fn text(length: usize) -> Weight {
    Weight { json: length + 1, memory: 2 * length + 16 }
}

/// The sum of two sizes.
pub fn sum(one: Weight, other: Weight) -> Weight {
    Weight { json: one.json + other.json, memory: one.memory + other.memory }
}
