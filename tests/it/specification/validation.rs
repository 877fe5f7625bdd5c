//! Documents that are invalid by the specification, and valid ones.

use serde_json::{Value, json};
use tenant_gateway::config::Introspection;
use tenant_gateway::roles::Role;

use crate::support::{TestApp, both_databases};

const REFUSED: [&str; 21] = [
    // Conflicting fields under one response key.
    "{ tenants { tenants { id id: name } } }",
    "{ tenants { tenants { id } } tenants(tenantsQuery: { count: 1 }) { tenants { name } } }",
    "{ tenants { ...A ...B } } fragment A on TenantResults { tenants { id } } fragment B on \
    TenantResults { tenants { id: name } }",
    "{ a: tenants { tenants { x: id } } a: tenants { tenants { x: name } } }",
    "{ nodes(ids: []) { id } nodes(ids: [\"x\"]) { id } }",
    "{ ...F nodes(ids: [\"x\"]) { id } } fragment F on Query { nodes(ids: [\"x\", \"y\"]) { id } }",
    // Variables at positions that their types do not fit.
    "query($id: ID) { tenant(id: $id) { id } }",
    "query($id: [ID!]!) { tenant(id: $id) { id } }",
    "query($id: ID!) { tenant(id: $other) { id } }",
    "query($id: ID!) { __typename }",
    "query() { __typename }",
    "query($x: Tenant) { __typename @skip(if: $x) }",
    // Values.
    "{ tenants(tenantsQuery: { count: 1, count: 2 }) { count } }",
    "{ tenants(tenantsQuery: 1) { count } }",
    "{ tenants(tenantsQuery: { count: 2147483648 }) { count } }",
    "mutation { registerUpstream(input: { name: \"x\", system: \"DEEP_SECURITY\" }) { id } }",
    // Directives.
    "query @skip(if: true) { __typename }",
    "{ __typename @skip(if: true) @skip(if: false) }",
    "{ __typename @deprecated }",
    // Fragments.
    "{ ...on } fragment on on Query { __typename }",
    "{ __typename } fragment Unused on Query { __typename }",
];

both_databases! {
    async fn invalid_document_is_refused_before_anything_is_executed(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        for document in REFUSED {
            let refused = caller.ask(document, json!({ "id": "x" })).await;
            assert!(refused.body.get("data").is_none(), "{document}: {}", refused.body);
            let code = &refused.body["errors"][0]["extensions"]["code"];
            assert!(
                ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"]
                    .contains(&code.as_str().unwrap()),
                "{code}"
            );
        }
    }

    async fn document_with_unusual_characters_is_valid(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        for text in [r"\ud83d\ude00", r"\u{1F600}", "😀"] {
            let document = format!("{{ clients(name: \"{text}\") {{ name }} }}");
            assert_eq!(
                caller.ask(&document, json!({})).await.field("clients"),
                json!([]),
                "{text}"
            );
        }
        let minus = caller.ask("{ clients(page: -0) { name } }", json!({})).await;
        assert_ne!(
            minus.body["errors"][0]["extensions"]["code"], "GRAPHQL_PARSE_FAILED",
            "{}",
            minus.body
        );
    }

    async fn errors_suggest_nothing_without_introspection(engine: Engine) {
        let app =
            TestApp::with(engine, |config| config.graphql.introspection = Introspection::Off).await;
        let caller = app.caller(app.world.north, Role::Auditor).await;
        for document in
            ["{ tenant_ { id } }", "{ tenants }", "{ tenants(tenantQuery: {}) { count } }"]
        {
            let refused = caller.ask(document, Value::Null).await;
            assert!(refused.body["errors"].is_array(), "{document}: {}", refused.body);
            assert!(
                !refused.body.to_string().to_lowercase().contains("did you mean"),
                "{}",
                refused.body
            );
        }
    }

    async fn errors_are_in_the_words_of_the_reference_implementation(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        for (document, message) in [
            ("{ nothing }", "Cannot query field \"nothing\" on type \"Query\"."),
            ("{ ...F }", "Unknown fragment \"F\"."),
            ("query($a: Int) { __typename }", "Variable \"$a\" is never used."),
            ("{ clients(foo: 1) { id } }", "Unknown argument \"foo\" on field \"Query.clients\"."),
        ] {
            assert_eq!(caller.ask(document, Value::Null).await.message(), message, "{document}");
        }
    }
}
