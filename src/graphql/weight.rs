//! What values take in a response.

use async_graphql::Value;

use crate::budget::Weight;

/// What a value takes in a response, without the objects in it, which are counted when they are
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

/// Text in memory and once more as JSON, with what an allocation takes.
fn text(length: usize) -> Weight {
    Weight { json: length + 1, memory: 2 * length + 16 }
}

/// Both together.
pub fn sum(one: Weight, other: Weight) -> Weight {
    Weight { json: one.json + other.json, memory: one.memory + other.memory }
}
