//! Resolves plain objects without a future per field.
//!
//! async-graphql boxes a future for each field of each object and polls them concurrently. Nearly
//! every field of the objects here is available at once, and the futures cost more than reading
//! them. Selections that depend on the type are left to the library.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};

use crate::budget::{ResponseMeter, Weight};
use crate::graphql::{sum, weigh};

/// One object whose fields are resolved one after the other; in the schema `T`. Not for objects
/// with several asynchronous fields.
pub struct InlineObject<T>(pub T);

/// One object with asynchronous fields, in the schema `T`. Several selected fields are resolved
/// concurrently, a single one without the boxed future that this takes.
pub struct LazyObject<T>(pub T);

impl<T: ContainerType> OutputType for InlineObject<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match plain_fields(ctx) {
            Some(fields) => {
                stop_if_too_large(ctx)?;
                Ok(write(ctx, &fields, &self.0).await)
            }
            None => resolve_container(ctx, &self.0).await,
        }
    }
}

impl<T: ContainerType> OutputType for LazyObject<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match plain_fields(ctx) {
            Some(fields) if fields.len() == 1 => Ok(write(ctx, &fields, &self.0).await),
            _ => resolve_container(ctx, &self.0).await,
        }
    }
}

/// The selected fields, unless the selection depends on the type of the object. An operation in
/// normal form has each response key once and no directives.
fn plain_fields<'a>(ctx: &ContextSelectionSet<'a>) -> Option<Vec<&'a Positioned<Field>>> {
    let field = |selection: &'a Positioned<Selection>| match &selection.node {
        Selection::Field(field) => Some(field),
        _ => None,
    };
    ctx.item.node.items.iter().map(field).collect()
}

/// Resolves an object as the library does: a failed field is missing, and its error is added to the
/// response.
async fn write<T: ContainerType>(
    ctx: &ContextSelectionSet<'_>,
    fields: &[&Positioned<Field>],
    object: &T,
) -> Value {
    let mut members: IndexMap<Name, Value> = IndexMap::with_capacity(fields.len());
    let mut taken = Weight::default();
    for field in fields {
        let ctx_field = ctx.with_field(field);
        let value = if field.node.name.node == "__typename" {
            Ok(Some(Value::String(object.introspection_type_name().into_owned())))
        } else {
            object.resolve_field(&ctx_field).await
        };
        match value {
            Ok(value) => {
                let value = value.unwrap_or_default();
                // Objects were counted when they were written.
                if !matches!(value, Value::Object(_)) {
                    taken = sum(taken, weigh(&value));
                }
                members.insert(field.node.response_key().node.clone(), value);
            }
            Err(error) => ctx.add_error(error),
        }
    }
    let value = if members.is_empty() { Value::Null } else { Value::Object(members) };
    if let Some(meter) = ctx.data_opt::<Arc<ResponseMeter>>()
        && let Err(error) = meter.charge(sum(taken, weigh(&value)))
    {
        ctx.add_error(async_graphql::Error::from(error).into_server_error(ctx.item.pos));
        return Value::Null;
    }
    value
}

/// Stops building a response that has exceeded its size limit.
fn stop_if_too_large(ctx: &ContextSelectionSet<'_>) -> ServerResult<()> {
    match ctx.data_opt::<Arc<ResponseMeter>>().and_then(|meter| meter.failure()) {
        Some(error) => {
            Err(async_graphql::Error::from(error.clone()).into_server_error(ctx.item.pos))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
