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

/// The data and the sorted errors. Fields that are compared have names of the same length,
/// because errors contain the column.
async fn response_of(field: &str, selected: &str) -> (serde_json::Value, Vec<String>) {
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
    fn any_selection_resolves_as_in_the_library(
        selected in prop::collection::vec(prop::sample::select(&SELECTIONS[..]), 1..6)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let selected = selected.join(" ");
        runtime.block_on(async {
            for (wrapped, usual) in [("row", "one"), ("from", "same")] {
                let wrapped = response_of(wrapped, &selected).await;
                assert_eq!(wrapped, response_of(usual, &selected).await, "{selected}");
            }
        });
    }
}

#[tokio::test]
async fn fields_are_in_the_order_of_the_selection() {
    let roots = (Query(vec![Leaf(1)]), EmptyMutation, EmptySubscription);
    let response =
        answer(roots, "{ row { slow { number } number } }", json!({})).await.expect("it is valid");
    let written = serde_json::to_string(&response.data).unwrap();
    assert_eq!(written, r#"{"row":{"slow":{"number":11},"number":1}}"#);
}

#[test]
fn wrappers_do_not_change_the_schema() {
    let sdl = Schema::new(Query(Vec::new()), EmptyMutation, EmptySubscription).sdl();
    assert!(["row: Leaf!", "from: Leaf!"].iter().all(|field| sdl.contains(field)), "{sdl}");
}
