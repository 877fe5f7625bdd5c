//! Objects whose fields are read one after the other.
//!
//! The library makes a boxed future of each field of each object and polls them side by side. Of a
//! list of computers nearly all fields are there already, and that costs more than reading the
//! list. Here the fields that are selected are found once for a list; an object that is complete at
//! once is written at once, and those that have to wait wait side by side. Selections that differ
//! by type are left to the library.

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_container, resolve_list};
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::budget::{ResponseMeter, Weight};
use crate::graphql::{sum, weigh};

/// How many objects of a list are written before other tasks have a turn.
const OBJECTS_PER_TURN: usize = 64;

/// A list of objects; in the schema the same as a slice of them.
pub struct InlineList<'a, T>(pub &'a [T]);

/// One object; in the schema the same as the object itself. Not for objects of which several fields
/// have to wait.
pub struct InlineObject<T>(pub T);

/// One object whose fields have to wait: several wait side by side, and a single one without the
/// room that that takes. In the schema the same as the object itself.
pub struct LazyObject<T>(pub T);

impl<T: ContainerType> OutputType for InlineList<'_, T> {
    fn type_name() -> Cow<'static, str> {
        <&[T]>::type_name()
    }

    fn qualified_type_name() -> String {
        <&[T]>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <&[T]>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let Some(fields) = plain(ctx) else {
            return resolve_list(ctx, field, self.0, Some(self.0.len())).await;
        };
        let mut values = vec![Value::Null; self.0.len()];
        let mut waiting = FuturesUnordered::new();
        let meter = ctx.data_opt::<Arc<ResponseMeter>>();
        let mut turn = None;
        for (at, object) in self.0.iter().enumerate() {
            stop_if_too_large(ctx)?;
            if self.0.len() > OBJECTS_PER_TURN && at % OBJECTS_PER_TURN == 0 {
                drop(turn.take());
                // Others who run on the same thread must not wait for the whole list.
                tokio::task::yield_now().await;
                turn = match meter {
                    Some(meter) => meter.turn().await,
                    None => None,
                };
            }
            let fields = &fields;
            let mut written =
                async move { write(&ctx.with_index(at), fields, object).await }.boxed();
            match poll_fn(|cx| Poll::Ready(written.poll_unpin(cx))).await {
                Poll::Ready(value) => values[at] = value,
                Poll::Pending => waiting.push(written.map(move |value| (at, value))),
            }
        }
        drop(turn);
        while let Some((at, value)) = waiting.next().await {
            values[at] = value;
        }
        Ok(Value::List(values))
    }
}

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
        match plain(ctx) {
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
        match plain(ctx) {
            Some(fields) if fields.len() == 1 => Ok(write(ctx, &fields, &self.0).await),
            _ => resolve_container(ctx, &self.0).await,
        }
    }
}

/// The fields that are selected, if they do not depend on the type of the object. An operation in
/// its normal form has each key once, and no directives.
fn plain<'a>(ctx: &ContextSelectionSet<'a>) -> Option<Vec<&'a Positioned<Field>>> {
    let field = |selection: &'a Positioned<Selection>| match &selection.node {
        Selection::Field(field) => Some(field),
        _ => None,
    };
    ctx.item.node.items.iter().map(field).collect()
}

/// Writes an object as the library does: a field that fails is missing, and its error is among
/// those of the answer.
async fn write<T: ContainerType>(
    ctx: &ContextSelectionSet<'_>,
    fields: &[&Positioned<Field>],
    object: &T,
) -> Value {
    let mut members: IndexMap<Name, Value> = IndexMap::with_capacity(fields.len());
    let mut taken = Weight::default();
    for field in fields {
        let ctx_field = ctx.with_field(field);
        let value = match field.node.name.node == "__typename" {
            true => Ok(Some(Value::String(object.introspection_type_name().into_owned()))),
            false => object.resolve_field(&ctx_field).await,
        };
        match value {
            Ok(value) => {
                let value = value.unwrap_or_default();
                // Objects counted themselves.
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

/// Whatever else would be read of a response that is too large is not built any more.
fn stop_if_too_large(ctx: &ContextSelectionSet<'_>) -> ServerResult<()> {
    match ctx.data_opt::<Arc<ResponseMeter>>().and_then(|meter| meter.failure()) {
        Some(error) => {
            Err(async_graphql::Error::from(error.clone()).into_server_error(ctx.item.pos))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::error::{Error, Result};
    use crate::graphql::testing::answer;

    struct Query(Vec<Leaf>);
    struct Leaf(i32);

    #[Object]
    impl Query {
        async fn quick(&self) -> InlineList<'_, Leaf> {
            InlineList(&self.0)
        }
        async fn usual(&self) -> &[Leaf] {
            &self.0
        }
        async fn row(&self) -> InlineObject<&Leaf> {
            InlineObject(&self.0[0])
        }
        async fn one(&self) -> &Leaf {
            &self.0[0]
        }
        async fn from(&self) -> LazyObject<&Leaf> {
            LazyObject(&self.0[0])
        }
        async fn same(&self) -> &Leaf {
            &self.0[0]
        }
    }

    #[Object]
    impl Leaf {
        async fn number(&self) -> i32 {
            self.0
        }
        async fn absent(&self) -> Option<i32> {
            None
        }
        async fn echo(&self, text: String) -> String {
            text
        }
        async fn fails(&self) -> Result<Option<i32>> {
            Err(Error::not_found("value"))
        }
        async fn must(&self) -> Result<i32> {
            if self.0 == 1 { Err(Error::not_found("value")) } else { Ok(self.0) }
        }
        async fn slow(&self) -> Leaf {
            tokio::task::yield_now().await;
            Leaf(self.0 + 10)
        }
    }

    const SELECTIONS: [&str; 14] = [
        "number",
        "n: number",
        "absent",
        "__typename",
        "t: __typename",
        "echo(text: \"x\")",
        "fails",
        "must",
        "slow { number must }",
        "slow { number __typename number }",
        "absent @include(if: true)",
        "number @skip(if: true)",
        "... on Leaf { n: number fails }",
        "...F",
    ];

    /// The data and the errors, whatever the order in which they came to be. Fields that are
    /// compared have names of the same length, since errors tell the column.
    async fn answered(field: &str, selected: &str) -> (serde_json::Value, Vec<String>) {
        let fragment = if selected.contains("...F") {
            "fragment F on Leaf { f: number slow { absent } }"
        } else {
            ""
        };
        let document = format!("{{ asked: {field} {{ {selected} }} }} {fragment}");
        let roots = (Query(vec![Leaf(1), Leaf(2)]), EmptyMutation, EmptySubscription);
        let response = answer(roots, &document, json!({})).await.expect("it is valid");
        let mut errors: Vec<_> =
            response.errors.iter().map(|error| serde_json::to_string(error).unwrap()).collect();
        errors.sort();
        (response.data.into_json().unwrap(), errors)
    }

    proptest! {
        #[test]
        fn any_selection_is_answered_as_by_the_library(
            selected in prop::collection::vec(prop::sample::select(&SELECTIONS[..]), 1..6)
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let selected = selected.join(" ");
            runtime.block_on(async {
                assert_eq!(answered("quick", &selected).await, answered("usual", &selected).await, "{selected}");
                assert_eq!(answered("row", &selected).await, answered("one", &selected).await, "{selected}");
                assert_eq!(answered("from", &selected).await, answered("same", &selected).await, "{selected}");
            });
        }
    }

    #[tokio::test]
    async fn fields_stand_in_the_order_in_which_they_are_selected() {
        let roots = (Query(vec![Leaf(1)]), EmptyMutation, EmptySubscription);
        let response = answer(roots, "{ quick { slow { number } number } }", json!({}))
            .await
            .expect("it is valid");
        let written = serde_json::to_string(&response.data).unwrap();
        assert_eq!(written, r#"{"quick":[{"slow":{"number":11},"number":1}]}"#);
    }

    #[test]
    fn the_schema_does_not_know_of_it() {
        let sdl = Schema::new(Query(Vec::new()), EmptyMutation, EmptySubscription).sdl();
        assert!(
            ["quick: [Leaf!]!", "row: Leaf!", "from: Leaf!"]
                .iter()
                .all(|field| sdl.contains(field)),
            "{sdl}"
        );
    }
}
