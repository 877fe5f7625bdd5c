use std::time::Duration;

use async_graphql::Value;
use async_graphql::parser::parse_query;

use super::*;

/// A document of that size.
type Document = fn(usize) -> String;

/// The limit that refuses the text, or the code of another refusal, or nothing.
fn refused_by(text: &str) -> Option<String> {
    let limits = LimitsConfig::default();
    let judged = check_text(&limits, text).and_then(|_| {
        let document = parse_query(text).expect("what passes the first look can be parsed");
        check_document(&limits, &document)
    });
    let extensions = judged.err()?.extensions.expect("every refusal has a code");
    match (extensions.get("limit"), extensions.get("code")) {
        (Some(Value::String(limit)), _) => Some(limit.clone()),
        (None, Some(Value::String(code))) => Some(code.clone()),
        other => panic!("{other:?}"),
    }
}

fn nested(fields: usize) -> String {
    format!("{}a{}", "{a".repeat(fields - 1) + "{", "}".repeat(fields))
}

/// `f0` spreads `f1` twice, and so on; the last has one field.
fn doubling(fragments: usize) -> String {
    let spreads = (1..fragments).map(|n| format!("fragment f{} on Q {{ x{n} {{ ...f{n} }} ...f{n} }} ", n - 1));
    format!("{{ ...f0 }} {} fragment f{} on Q {{ a }}", spreads.collect::<String>(), fragments - 1)
}

#[test]
fn each_limit_allows_its_maximum_and_not_one_more() {
    let cases: [(&str, Document, usize); 8] = [
        ("document", |n| format!("{{a}}#{}", "x".repeat(n - 4)), 64 * 1024),
        ("tokens", |n| format!("{{r{{{}}}}}", "a ".repeat(n - 5)), 2000),
        ("depth", nested, 15),
        ("aliases", |n| format!("{{r{{{}}}}}", "a:b ".repeat(n)), 30),
        ("root_fields", |n| format!("{{{}}}", "a ".repeat(n)), 20),
        (
            "fragments",
            |n| format!("{{a}}{}", (0..n).map(|n| format!("fragment f{n} on Q{{a}}")).collect::<String>()),
            50,
        ),
        ("operations", |n| (0..n).map(|n| format!("query q{n}{{a}}")).collect(), 10),
        ("directives", |n| format!("{{a{}}}", "@d".repeat(n)), 20),
    ];
    for (limit, document, maximum) in cases {
        assert_eq!(refused_by(&document(maximum)), None, "{limit}");
        assert_eq!(refused_by(&document(maximum + 1)).as_deref(), Some(limit));
    }
}

#[test]
fn fields_are_counted_through_fragments() {
    let spread = |times: usize| {
        let hundred = "a ".repeat(100);
        let ten = "x { ...b } ".repeat(0) + &(0..10).map(|n| format!("x{n} {{ ...b }} ")).collect::<String>();
        let top = (0..times).map(|n| format!("y{n} {{ ...c }} ")).collect::<String>();
        format!("{{ {top} }} fragment c on Q {{ {ten} }} fragment b on Q {{ {hundred} }}")
    };
    // Each `y` is 1 + 10 * 101 fields.
    assert_eq!(refused_by(&spread(9)), None);
    assert_eq!(refused_by(&spread(10)).as_deref(), Some("fields"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "measures")]
fn doubling_fragments_cost_next_to_nothing() {
    let started = std::time::Instant::now();
    for fragments in [20, 25, 50] {
        let refused = refused_by(&doubling(fragments)).expect("it is too much");
        assert!(["fields", "depth", "nesting"].contains(&&*refused), "{refused}");
    }
    assert!(started.elapsed() < Duration::from_millis(500));
}

#[test]
fn repeating_an_object_or_a_fragment_counts_as_an_alias() {
    assert_eq!(refused_by(&format!("{{ r {{ {} }} }}", "o { a } ".repeat(32))).as_deref(), Some("aliases"));
    assert_eq!(
        refused_by(&format!("{{ r {{ {} }} }} fragment f on Q {{ o {{ a }} }}", "...f ".repeat(32))).as_deref(),
        Some("aliases")
    );
    assert_eq!(refused_by(&format!("{{ r {{ {} }} }}", "a ".repeat(32))), None);
}

#[test]
fn aliases_multiply_through_fragments() {
    let five = (0..5).map(|n| format!("a{n}: o {{ x }} ")).collect::<String>();
    let spread = (0..5).map(|n| format!("b{n}: o {{ ...f }} ")).collect::<String>();
    let of = |spread: &str| format!("{{ r {{ {spread} }} }} fragment f on Q {{ {five} }}");
    assert_eq!(refused_by(&of("b0: o { ...f }")), None);
    // 5 + 5 * 5 is the limit.
    assert_eq!(refused_by(&of(&spread)), None);
    assert_eq!(refused_by(&of(&format!("{spread} z: o {{ x }}"))).as_deref(), Some("aliases"));
}

#[test]
fn fragments_that_cannot_be_followed_are_refused() {
    let invalid = Some("GRAPHQL_VALIDATION_FAILED".to_owned());
    assert_eq!(refused_by("{ ...a } fragment a on Q { ...b ...b } fragment b on Q { ...a ...a }"), invalid);
    assert_eq!(refused_by("{ x } fragment a on Q { y { ...a } }"), invalid);
    assert_eq!(refused_by("{ ...nowhere }"), invalid);
}

#[test]
fn brackets_are_counted_before_the_parser_recurses() {
    for open in ["{a", "{a(b:[", "{a(b:{c:", "query($v:[", "{...{", "[", "{a(b:\"\"\"\"\"\"["] {
        let refused = refused_by(&open.repeat(10_000 / open.len()));
        assert!(refused == Some("tokens".into()) || refused == Some("nesting".into()), "{open}: {refused:?}");
    }
    assert_eq!(refused_by(&"[".repeat(20_000)).as_deref(), Some("tokens"));
    assert_eq!(refused_by(&format!("{{a(b:{}{})}}", "[".repeat(63), "]".repeat(63))).as_deref(), Some("nesting"));
    assert_eq!(refused_by(&format!("{{a(b:{}{})}}", "[".repeat(62), "]".repeat(62))), None);
}

#[test]
fn fragments_do_not_hide_nesting() {
    let chain = |fragments: usize, inner: &str| {
        let all = (1..fragments).map(|n| format!("fragment f{} on Q {{ ...f{n} }} ", n - 1)).collect::<String>();
        format!("{{ ...f0 }} {all} fragment f{} on Q {{ {inner} }}", fragments - 1)
    };
    assert_eq!(refused_by(&chain(50, "a")), None);
    let inline = format!("{}a{}", "...{".repeat(20), "}".repeat(20));
    assert_eq!(refused_by(&chain(50, &inline)).as_deref(), Some("nesting"));
}

#[test]
fn introspection_may_be_deeper_than_data() {
    let of_types = |levels: usize| format!("{}name{}", "ofType{".repeat(levels), "}".repeat(levels));
    let tool = |levels: usize| {
        format!("{{ __schema {{ types {{ fields {{ args {{ type {{ {} }} }} }} }} }} }}", of_types(levels))
    };
    assert_eq!(refused_by(&tool(9)), None);
    assert_eq!(refused_by(&tool(19)), None);
    assert_eq!(refused_by(&tool(20)).as_deref(), Some("introspection_depth"));
    assert_eq!(refused_by(&format!("{{ x {{ {} }} }}", of_types(14))).as_deref(), Some("depth"));
}

#[test]
fn introspection_does_not_multiply() {
    let bomb = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(refused_by(bomb).as_deref(), Some("introspection_lists"));
    let spread = "{ __schema { types { ...f } } } fragment f on __Type { fields { type { ...g } } } \
         fragment g on __Type { inputFields { type { possibleTypes { name } } } }";
    assert_eq!(refused_by(spread).as_deref(), Some("introspection_lists"));
    let repeated = format!("{{ __schema {{ {} }} }}", "types { name } ".repeat(6));
    assert_eq!(refused_by(&repeated).as_deref(), Some("introspection_aliases"));
}
