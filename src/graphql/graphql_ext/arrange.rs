//! Brings a response of async-graphql into the form of the specification (GraphQL, sections 6.4.3
//! and 6.4.4).
//!
//! The library writes the members of an object in the order in which their resolvers complete
//! (async-graphql issue 612), and omits a failed field from its object, whatever its type (issues
//! 798 and 1532). Here each object gets the members of the merged selection, in its order; a failed
//! field becomes null if it is nullable, otherwise its nearest nullable parent does.

use std::collections::HashMap;

use apollo_compiler::ast::Type;
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, PathSegment, Response, ServerError, Value};

use crate::graphql::normal_form::{Field, Selections, TYPE_KEY};

/// A non-null value is missing, so that its parent becomes null.
struct Propagate;

/// The paths of all errors at or below a position of the response, as a tree. Each step into the
/// response is one lookup, so that the work is linear in the number of values and errors.
#[derive(Default)]
struct Failed<'a> {
    fields: HashMap<&'a str, Self>,
    items: HashMap<usize, Self>,
}

impl<'a> Failed<'a> {
    fn of(errors: &'a [ServerError]) -> Option<Self> {
        let at_fields = || errors.iter().filter(|error| !error.path.is_empty());
        at_fields().next()?;
        let mut root = Self::default();
        for error in at_fields() {
            error.path.iter().fold(&mut root, |at, segment| match segment {
                PathSegment::Field(name) => at.fields.entry(name).or_default(),
                PathSegment::Index(index) => at.items.entry(*index).or_default(),
            });
        }
        Some(root)
    }

    /// Whether a field or item below this position failed, and not the position itself.
    fn is_beneath(&self) -> bool {
        !self.fields.is_empty() || !self.items.is_empty()
    }
}

/// Arranges a response by the given root fields.
pub(super) fn arrange(root: &[Field], response: &mut Response) {
    let failed = Failed::of(&response.errors);
    if failed.is_none() && !response.errors.is_empty() && response.data == Value::Null {
        // Execution did not begin.
        return;
    }
    let mut members = match std::mem::take(&mut response.data) {
        Value::Object(members) => members,
        _ => IndexMap::new(),
    };
    let arranged = of_fields(root, &mut members, failed.as_ref());
    response.data = if arranged.is_ok() { Value::Object(members) } else { Value::Null };
}

/// Whether an arranged response has no data, because a non-null field failed.
pub(super) fn is_lost(response: &Response) -> bool {
    response.data == Value::Null
}

fn of_object(
    selections: &Selections,
    value: Value,
    failed: Option<&Failed<'_>>,
) -> Result<Value, Propagate> {
    let mut members = match value {
        Value::Object(members) => members,
        _ => IndexMap::new(),
    };
    let typename = match members.get(TYPE_KEY) {
        Some(Value::String(name)) => Some(name.clone()),
        _ => None,
    };
    let Some(fields) = selections.fields(typename.as_deref()) else { return Ok(Value::Null) };
    of_fields(fields, &mut members, failed)?;
    Ok(Value::Object(members))
}

fn of_fields(
    fields: &[Field],
    members: &mut IndexMap<Name, Value>,
    failed: Option<&Failed<'_>>,
) -> Result<(), Propagate> {
    in_order(fields, members);
    for (member, field) in members.values_mut().zip(fields) {
        let failed = failed.and_then(|failed| failed.fields.get(field.key.as_str()));
        if failed.is_some() || field.below.is_some() && !field.is_introspection() {
            *member = of_value(&field.ty, field, std::mem::take(member), failed)?;
        }
    }
    Ok(())
}

/// Gives an object exactly the selected members, in their order.
fn in_order(fields: &[Field], members: &mut IndexMap<Name, Value>) {
    let is_so = members.len() == fields.len()
        && members.keys().zip(fields).all(|(key, field)| *key == field.key);
    if is_so {
        return;
    }
    let mut ordered = IndexMap::with_capacity(fields.len());
    for field in fields {
        ordered.insert(field.key.clone(), members.swap_remove(&field.key).unwrap_or_default());
    }
    *members = ordered;
}

fn of_value(
    ty: &Type,
    field: &Field,
    value: Value,
    failed: Option<&Failed<'_>>,
) -> Result<Value, Propagate> {
    let arranged = match (value, &field.below) {
        (Value::List(items), _) if ty.is_list() => {
            let items = items.into_iter().enumerate().map(|(index, item)| {
                let failed = failed.and_then(|failed| failed.items.get(&index));
                of_value(ty.item_type(), field, item, failed)
            });
            items.collect::<Result<_, _>>().map(Value::List)
        }
        (value @ Value::Object(_), Some(below)) => of_object(below, value, failed),
        // async-graphql answers null for an object all of whose fields failed.
        (Value::Null, Some(below)) if !ty.is_list() && failed.is_some_and(Failed::is_beneath) => {
            of_object(below, Value::Null, failed)
        }
        (value, _) => Ok(value),
    };
    match arranged {
        Ok(Value::Null) if failed.is_none() => Ok(Value::Null),
        Ok(Value::Null) | Err(Propagate) if !ty.is_non_null() => Ok(Value::Null),
        Ok(Value::Null) | Err(Propagate) => Err(Propagate),
        Ok(value) => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Response, Union};
    use serde_json::json;

    use crate::error::{Error, Result};
    use crate::graphql::testing::answer;

    const MANY: usize = 5_000;

    struct Query;
    struct Leaf;

    #[derive(Union)]
    enum Either {
        Leaf(Leaf),
        Twig(Twig),
    }

    struct Twig;

    #[Object]
    impl Query {
        async fn ok(&self) -> i32 {
            1
        }
        async fn may_fail(&self) -> Result<Option<Leaf>> {
            Err(Error::not_found("leaf"))
        }
        async fn must_not_fail(&self) -> Result<Leaf> {
            Err(Error::not_found("leaf"))
        }
        async fn leaf(&self) -> Option<Leaf> {
            Some(Leaf)
        }
        async fn leaves(&self) -> Vec<Option<Leaf>> {
            vec![Some(Leaf), None]
        }
        async fn many(&self) -> Vec<Option<Leaf>> {
            (0..MANY).map(|_| Some(Leaf)).collect()
        }
        async fn either(&self) -> Option<Either> {
            Some(Either::Leaf(Leaf))
        }
    }

    #[Object]
    impl Twig {
        async fn lost(&self) -> Option<i32> {
            None
        }
    }

    #[Object]
    impl Leaf {
        async fn value(&self) -> i32 {
            2
        }
        async fn slow(&self) -> i32 {
            tokio::task::yield_now().await;
            3
        }
        async fn lost(&self) -> Result<Option<i32>> {
            Err(Error::not_found("value"))
        }
        async fn needed(&self) -> Result<i32> {
            Err(Error::not_found("value"))
        }
    }

    async fn answered(query: &str) -> Response {
        answer((Query, EmptyMutation, EmptySubscription), query, json!({}))
            .await
            .expect("it is valid")
    }

    async fn completed(query: &str) -> String {
        serde_json::to_string(&answered(query).await.data).unwrap()
    }

    #[tokio::test]
    async fn failed_field_is_null() {
        assert_eq!(completed("{ mayFail { value } ok }").await, r#"{"mayFail":null,"ok":1}"#);
        assert_eq!(completed("{ mayFail { value } }").await, r#"{"mayFail":null}"#);
        assert_eq!(
            completed("{ leaf { lost value } }").await,
            r#"{"leaf":{"lost":null,"value":2}}"#
        );
        assert_eq!(completed("{ leaf { lost } }").await, r#"{"leaf":{"lost":null}}"#);
    }

    #[tokio::test]
    async fn failed_non_null_field_makes_its_parent_null() {
        assert_eq!(completed("{ mustNotFail { value } ok }").await, "null");
        assert_eq!(completed("{ leaf { needed value } ok }").await, r#"{"leaf":null,"ok":1}"#);
        assert_eq!(completed("{ leaves { needed } ok }").await, r#"{"leaves":[null,null],"ok":1}"#);
    }

    #[tokio::test]
    async fn failed_field_is_found_through_fragments_and_aliases() {
        let query = "{ a: leaf { ...F ...F } b: leaf { value lost @skip(if: true) } } \
            fragment F on Leaf { x: lost value }";
        assert_eq!(completed(query).await, r#"{"a":{"x":null,"value":2},"b":{"value":2}}"#);
    }

    #[tokio::test]
    async fn object_of_a_union_is_completed_without_a_selected_type() {
        for (selected, expected) in [
            ("... on Leaf { lost }", r#"{"either":{"lost":null}}"#),
            ("... on Twig { lost }", r#"{"either":{}}"#),
            ("__typename ... on Leaf { lost }", r#"{"either":{"__typename":"Leaf","lost":null}}"#),
            ("... on Leaf { needed }", r#"{"either":null}"#),
        ] {
            assert_eq!(
                completed(&format!("{{ either {{ {selected} }} }}")).await,
                expected,
                "{selected}"
            );
        }
    }

    #[tokio::test]
    async fn thousands_of_failed_fields_are_all_null() {
        for (field, each) in [("lost", r#"{"lost":null}"#), ("needed", "null")] {
            let response = answered(&format!("{{ many {{ {field} }} }}")).await;
            assert_eq!(response.errors.len(), MANY);
            let expected = format!(r#"{{"many":[{}]}}"#, vec![each; MANY].join(","));
            assert!(serde_json::to_string(&response.data).unwrap() == expected, "{field}");
        }
    }

    #[tokio::test]
    async fn members_stand_in_the_order_of_the_merged_selection() {
        let query = "{ ok leaf { slow value } ...F } \
            fragment F on Query { leaf { value again: slow } late: ok }";
        let expected = r#"{"ok":1,"leaf":{"slow":3,"value":2,"again":3},"late":1}"#;
        assert_eq!(completed(query).await, expected);
    }

    #[tokio::test]
    async fn object_without_selected_fields_is_empty() {
        let query =
            "{ leaf { value @skip(if: true) } leaves { ... @include(if: false) { value } } }";
        assert_eq!(completed(query).await, r#"{"leaf":{},"leaves":[{},null]}"#);
        assert_eq!(completed("{ ok @skip(if: true) }").await, "{}");
    }

    #[tokio::test]
    async fn response_without_errors_is_unchanged() {
        assert_eq!(completed("{ ok }").await, r#"{"ok":1}"#);
    }
}
