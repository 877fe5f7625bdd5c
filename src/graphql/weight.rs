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
        Value::Binary(bytes) => text(4 * bytes.len()),
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
            let nested =
                values.iter().filter(|value| matches!(value, Value::Object(_) | Value::List(_)));
            nested.map(weigh_all).fold(weigh(value), sum)
        }
        Value::Object(members) => members.values().map(weigh_all).fold(weigh(value), sum),
        value => weigh(value),
    }
}

/// The size of a text, in memory and again as JSON, including the allocation.
fn text(length: usize) -> Weight {
    Weight { json: length + 1, memory: 2 * length + 16 }
}

/// The sum of two sizes.
pub fn sum(one: Weight, other: Weight) -> Weight {
    Weight { json: one.json + other.json, memory: one.memory + other.memory }
}
