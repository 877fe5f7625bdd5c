use async_graphql::Value;
use serde_json::{Map, json};

use super::super::documents::DocumentCache;
use super::super::documents::hash;
use super::*;
use crate::error::RequestErrors;
use crate::graphql::SchemaModel;

/// Makes a document of that size.
type Document = fn(usize) -> String;

const SCHEMA: &str = "
    type Query { a: Int, r: R, o: R, list(first: Int, where: Filter): [R!]!, tags: [R!]! }
    type R { a: Int, b: R, o: R, x(n: Int): R, list(first: Int): Page, tags: [R!]! }
    type Page { nodes: [R!]!, edges: [Edge!]! }
    type Edge { node: R! }
    input Filter { count: Int }
";

/// The limit that a document exceeds, else the code and message of another error, else `None`.
fn refused_by(text: &str) -> Option<String> {
    refused_with(text, json!({}))
}

fn refused_with(text: &str, variables: serde_json::Value) -> Option<String> {
    let limits = LimitsConfig::default();
    let bound = cost_of(text, variables).and_then(|cost| Ok(check_cost(&limits, &cost)?));
    let error = bound.err()?.0.remove(0);
    let extensions = error.extensions.expect("every error has a code");
    match (extensions.get("limit"), extensions.get("code")) {
        (Some(Value::String(limit)), _) => Some(limit.clone()),
        (None, Some(Value::String(code))) => Some(format!("{code} {}", error.message)),
        other => panic!("{other:?}"),
    }
}

fn cost_of(text: &str, variables: serde_json::Value) -> Result<Cost, RequestErrors> {
    let limits = LimitsConfig::default();
    let model = SchemaModel::parse(SCHEMA, Default::default(), true).unwrap();
    let documents = DocumentCache::new(model.into(), limits, 1 << 20);
    let variables: Map<_, _> = variables.as_object().cloned().unwrap();
    let valid = documents.validate(hash(text), text)?;
    // The operations of a document are all alike here.
    let name = text.contains("query q0").then_some("q0");
    let operation = valid.choose(name)?;
    let (operation, variables) = documents.bind(&valid, operation, &variables)?;
    Ok(Cost::of(&operation, &variables))
}

fn nested(fields: usize) -> String {
    format!("{{{}a{}}}", "o{".repeat(fields - 1), "}".repeat(fields - 1))
}

fn each(count: usize, text: &str) -> String {
    (0..count).map(|n| text.replace('#', &n.to_string())).collect()
}

/// `f0` spreads `f1` twice, and so on; the last fragment has one field.
fn doubling(fragments: usize) -> String {
    let spreads = (1..fragments)
        .map(|n| format!("fragment f{} on R {{ b {{ ...f{n} }} o {{ ...f{n} }} }} ", n - 1));
    format!(
        "{{ r {{ ...f0 }} }} {} fragment f{} on R {{ a }}",
        spreads.collect::<String>(),
        fragments - 1
    )
}

#[test]
fn each_limit_allows_its_maximum_and_not_one_more() {
    let cases: [(&str, Document, usize); 8] = [
        ("document", |n| format!("{{a}}#{}", "x".repeat(n - 4)), 64 * 1024),
        ("tokens", |n| format!("{{r{{{}}}}}", "a ".repeat(n - 5)), 2000),
        ("depth", nested, 15),
        ("aliases", |n| format!("{{r{{{}}}}}", each(n, "a#:b{a} ")), 30),
        ("root_fields", |n| format!("{{{}}}", each(n, "a#:a ")), 20),
        (
            "fragments",
            |n| format!("{{{}}}{}", each(n, "...f# "), each(n, "fragment f# on Query{a}")),
            50,
        ),
        ("operations", |n| each(n, "query q#{a}"), 10),
        ("directives", |n| format!("{{{}}}", "a@skip(if:false) ".repeat(n)), 20),
    ];
    for (limit, document, maximum) in cases {
        assert_eq!(refused_by(&document(maximum)), None, "{limit}");
        assert_eq!(refused_by(&document(maximum + 1)).as_deref(), Some(limit));
    }
}

#[test]
fn fields_are_counted_after_expansion_of_fragments() {
    // 2^12 paths are within 10,000 fields, 2^13 are not.
    assert_eq!(refused_by(&doubling(11)), None);
    assert_eq!(refused_by(&doubling(13)).as_deref(), Some("fields"));
}

/// A check that expands them does not end: 2^50 paths would take it years.
#[test]
fn doubling_fragments_are_rejected_without_expanding_them() {
    for fragments in [20, 25, 50] {
        let refused = refused_by(&doubling(fragments)).expect("it exceeds a limit");
        assert!(["fields", "depth", "nesting"].contains(&&*refused), "{refused}");
    }
}

#[test]
fn repeated_fields_and_fragments_merge_and_count_once() {
    assert_eq!(refused_by(&format!("{{ r {{ {} }} }}", "o { a } ".repeat(200))), None);
    let spread = format!(
        "{{ r {{ {} }} }} fragment f on R {{ ...{{ o {{ a }} }} }}",
        "...{...f} ".repeat(200)
    );
    assert_eq!(refused_by(&spread), None);
}

#[test]
fn aliases_in_fragments_count() {
    let hidden = format!(
        "{{ r {{ ...{{ ...f }} }} }} fragment f on R {{ {} }}",
        each(31, "...{ a#: o { a } } ")
    );
    assert_eq!(refused_by(&hidden).as_deref(), Some("aliases"));
    let five = each(5, "a#: o { a } ");
    let spread = each(5, "b#: o { ...f } ");
    let of = |spread: &str| format!("{{ r {{ {spread} }} }} fragment f on R {{ {five} }}");
    // 5 + 5 * 5 is the limit.
    assert_eq!(refused_by(&of(&spread)), None);
    assert_eq!(refused_by(&of(&format!("{spread} z: o {{ a }}"))).as_deref(), Some("aliases"));
}

#[test]
fn cyclic_and_unknown_fragments_are_rejected() {
    for text in [
        "{ ...a } fragment a on Query { ...b ...b } fragment b on Query { ...a ...a }",
        "{ a } fragment a on Query { o { ...a } }",
        "{ ...nowhere }",
    ] {
        let refused = refused_by(text).unwrap();
        assert!(refused.starts_with("GRAPHQL_VALIDATION_FAILED"), "{text}: {refused}");
    }
}

#[test]
fn brackets_are_counted_before_the_parser_recurses() {
    for open in ["{a", "{a(b:[", "{a(b:{c:", "query($v:[", "{...{", "[", "{a(b:\"\"\"\"\"\"["] {
        let refused = refused_by(&open.repeat(10_000 / open.len()));
        assert!(
            refused == Some("tokens".into()) || refused == Some("nesting".into()),
            "{open}: {refused:?}"
        );
    }
    assert_eq!(refused_by(&"[".repeat(20_000)).as_deref(), Some("tokens"));
    let list = |levels: usize| format!("{{a(b:{}{})}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(refused_by(&list(63)).as_deref(), Some("nesting"));
    assert!(refused_by(&list(62)).unwrap().starts_with("GRAPHQL_VALIDATION_FAILED"));
}

#[test]
fn fragments_do_not_hide_nesting() {
    let chain = |fragments: usize, inner: &str| {
        let all = (1..fragments)
            .map(|n| format!("fragment f{} on Query {{ ...f{n} }} ", n - 1))
            .collect::<String>();
        format!("{{ ...f0 }} {all} fragment f{} on Query {{ {inner} }}", fragments - 1)
    };
    assert_eq!(refused_by(&chain(50, "a")), None);
    let inline = format!("{}a{}", "...{".repeat(20), "}".repeat(20));
    assert_eq!(refused_by(&chain(50, &inline)).as_deref(), Some("nesting"));
}

#[test]
fn introspection_has_a_depth_limit_of_its_own() {
    let of_types =
        |levels: usize| format!("{}name{}", "ofType{".repeat(levels), "}".repeat(levels));
    let tool = |levels: usize| {
        format!(
            "{{ __schema {{ types {{ fields {{ args {{ type {{ {} }} }} }} }} }} }}",
            of_types(levels)
        )
    };
    assert_eq!(refused_by(&tool(9)), None);
    assert_eq!(refused_by(&tool(19)), None);
    assert_eq!(refused_by(&tool(20)).as_deref(), Some("introspection_depth"));
}

#[test]
fn introspection_does_not_multiply() {
    let bomb = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(refused_by(bomb).as_deref(), Some("introspection_lists"));
    let spread = "{ __schema { types { ...f } } } fragment f on __Type { fields { type { ...g } } }
         fragment g on __Type { inputFields { type { possibleTypes { name } } } }";
    assert_eq!(refused_by(spread).as_deref(), Some("introspection_lists"));
    let repeated = format!("{{ __schema {{ {} }} }}", each(6, "t#: types { name } "));
    assert_eq!(refused_by(&repeated).as_deref(), Some("introspection_aliases"));
}

#[test]
fn list_whose_length_no_argument_sets_is_known_wherever_it_is_selected() {
    for (selected, expected) in [
        ("tags { a }", true),
        ("r { list(first: 2) { nodes { tags { a } } } }", true),
        ("r { ...f } } fragment f on R { b { tags { a } }", true),
        ("a r { a }", false),
        ("list { a }", false),
        ("list(first: 2) { a }", false),
        ("r { list(first: 2) { nodes { a } edges { node { a } } } }", false),
        ("__schema { types { name } }", false),
        ("__type(name: \"R\") { fields { name } }", false),
    ] {
        let cost = cost_of(&format!("{{ {selected} }}"), json!({}));
        let cost = cost.unwrap_or_else(|_| panic!("{selected} is valid"));
        assert_eq!(cost.has_unsized_list, expected, "{selected}");
    }
}

#[test]
fn lists_cost_by_the_requested_size() {
    let aliases = each(30, "t#: tags { a } ");
    let of = |head: &str, size: &str| format!("{head} {{ list({size}) {{ {aliases} }} }}");
    assert_eq!(refused_by(&of("", "first: 100")), None);
    assert_eq!(refused_by(&of("", "first: 201")).as_deref(), Some("cost"));
    assert_eq!(refused_by(&of("", "where: { count: 201 }")).as_deref(), Some("cost"));
    assert_eq!(refused_by(&of("query($n: Int = 201)", "first: $n")).as_deref(), Some("cost"));
    let by_variable = of("query($w: Filter)", "where: $w");
    assert_eq!(refused_with(&by_variable, json!({"w": {"count": 100}})), None);
    assert_eq!(refused_with(&by_variable, json!({"w": {"count": 201}})).as_deref(), Some("cost"));
}

#[test]
fn small_selection_of_many_objects_is_within_the_cost_limit() {
    let twenty = each(20, "a#: a ");
    assert_eq!(
        refused_by(&format!("{{ r {{ list(first: 5000) {{ nodes {{ {twenty} }} }} }} }}")),
        None
    );
    let fan_out = "{ list(first: 500) {
        a b { list(first: 50) { nodes { a x: a y: a } } } tags { a x: a } } }";
    assert_eq!(refused_by(fan_out), None);
}
