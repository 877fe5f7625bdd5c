//! The request's context inside a resolver.

mod loaders;

use async_graphql::{Context, Value};

use super::context::RequestContext;
use crate::budget::Weight;
use crate::error::{Error, Result};
use crate::outbound::Operation;

pub use loaders::{Loaders, access_in, load, scope_within};

/// The context that the door put into the request.
///
/// # Errors
/// If a request was executed without one, which no door does.
pub fn request<'a>(ctx: &Context<'a>) -> Result<&'a RequestContext> {
    ctx.data_opt::<RequestContext>()
        .ok_or_else(|| Error::internal("a request without context was executed"))
}

/// What counts the request's calls of legacy systems; the door put it into the request.
///
/// # Errors
/// As [`request`].
pub fn operation<'a>(ctx: &Context<'a>) -> Result<&'a std::sync::Arc<Operation>> {
    ctx.data_opt::<std::sync::Arc<Operation>>()
        .ok_or_else(|| Error::internal("a request without count was executed"))
}

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

/// A room of the house that the schema was built with.
///
/// # Errors
/// If the schema was built without it, which `App::build` does not do.
pub fn service<'a, T: Send + Sync + 'static>(ctx: &Context<'a>) -> Result<&'a std::sync::Arc<T>> {
    ctx.data_opt::<std::sync::Arc<T>>()
        .ok_or_else(|| Error::internal("a service is missing from the schema"))
}
