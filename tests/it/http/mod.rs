//! HTTP around GraphQL: statuses, media types, health checks.

mod documents;
mod streams;
mod transport;

use reqwest::Method;
use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases};

const MODERN: &str = "application/graphql-response+json";

async fn post(caller: &Caller, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
    let mut request = caller
        .gateway
        .http
        .post(format!("{}/graphql", caller.gateway.url))
        .bearer_auth(&caller.token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    caller.gateway.send(request.body(body)).await
}

fn document(text: &str) -> String {
    json!({ "query": text }).to_string()
}

both_databases! {
    async fn body_must_be_json(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        for media_type in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/graphql",
            "application/jsonp",
        ] {
            let refused =
                post(&caller, &[("content-type", media_type)], document("{ __typename }")).await;
            assert_eq!((refused.status, refused.code()), (415, "BAD_REQUEST"), "{media_type}");
        }
        for media_type in ["application/json", "Application/JSON; charset=utf-8"] {
            let answer =
                post(&caller, &[("content-type", media_type)], document("{ __typename }")).await;
            assert_eq!(answer.field("__typename"), "Query");
        }
    }

    async fn malformed_request_names_the_expected_form(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let bodies = [
            "",
            "{",
            "null",
            "[]",
            "\"query\"",
            "{}",
            r#"{"query":1}"#,
            r#"{"query":"{ __typename }","variables":[]}"#,
            r#"[{"query":"{ __typename }"}]"#,
            r#"{"query":"{ __typename }"} more"#,
        ];
        for body in bodies {
            let refused = post(&caller, &[("content-type", "application/json")], body).await;
            assert_eq!((refused.status, refused.code()), (400, "BAD_REQUEST"), "{body}");
            assert!(refused.message().contains("JSON object"), "{}", refused.message());
        }
        let broken = post(
            &caller,
            &[("content-type", "application/json")],
            b"{\"query\":\"\xff\"}".to_vec(),
        )
        .await;
        assert_eq!((broken.status, broken.code()), (400, "BAD_REQUEST"));
    }

    async fn body_size_is_limited(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let padded =
            |size: usize| format!("{{\"query\":\"{{ __typename }}\"{}}}", " ".repeat(size));
        let refused = post(&caller, &[("content-type", "application/json")], padded(262_144)).await;
        assert_eq!((refused.status, refused.code()), (413, "BAD_REQUEST"));
        assert_eq!(
            post(&caller, &[("content-type", "application/json")], padded(262_000)).await.status,
            200
        );
    }

    async fn unsupported_methods_are_refused_with_allow(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let request = app
                .http
                .request(method, format!("{}/graphql?query=%7B__typename%7D", app.url))
                .bearer_auth(&caller.token);
            let refused = app.send(request).await;
            assert_eq!((refused.status, refused.code()), (405, "BAD_REQUEST"));
            assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
        }
    }

    async fn status_of_graphql_response_json_tells_whether_operation_was_executed(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let cases = [
            ("{ __typename }", 200, None),
            ("{ auditLog { nodes { id } } }", 200, Some("FORBIDDEN")),
            ("{ noSuchField }", 400, Some("GRAPHQL_VALIDATION_FAILED")),
            ("{", 400, Some("GRAPHQL_PARSE_FAILED")),
            (
                "query a { __typename } query b { __typename }",
                400,
                Some("OPERATION_RESOLUTION_FAILURE"),
            ),
        ];
        for (text, status, code) in cases {
            for accept in
                [MODERN, "application/graphql-response+json; charset=utf-8, application/json;q=0.9"]
            {
                let answer = post(
                    &caller,
                    &[("content-type", "application/json"), ("accept", accept)],
                    document(text),
                )
                .await;
                assert_eq!((answer.status, code.map(|_| answer.code())), (status, code), "{text}");
                assert!(answer.header("content-type").unwrap().starts_with(MODERN));
            }
            for accept in ["*/*", "application/json"] {
                let answer = post(
                    &caller,
                    &[("content-type", "application/json"), ("accept", accept)],
                    document(text),
                )
                .await;
                assert_eq!(answer.status, 200, "{text}");
                assert!(answer.header("content-type").unwrap().starts_with("application/json"));
            }
        }
    }

    async fn operation_is_chosen_by_name(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let body = |name: Value| {
            json!({
                "query": "query a { a: __typename } query b { b: __typename }",
                "operationName": name,
            })
            .to_string()
        };
        let ask = |name: Value| post(&caller, &[("content-type", "application/json")], body(name));
        assert_eq!(ask(json!("b")).await.data(), json!({ "b": "Query" }));
        for name in [json!("c"), json!(""), Value::Null] {
            assert_eq!(ask(name).await.code(), "OPERATION_RESOLUTION_FAILURE");
        }
    }

    async fn failed_nullable_field_leaves_its_siblings(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let answer =
            caller.ask("{ __typename client(id: 1) { id } clients { name } }", json!({})).await;
        assert_eq!((answer.status, answer.code()), (200, "NOT_FOUND"));
        assert_eq!(answer.body["errors"][0]["path"], json!(["client"]));
        let expected = json!({
            "__typename": "Query",
            "client": null,
            "clients": [{ "name": "TenantAuditor" }],
        });
        assert_eq!(answer.body["data"], expected);
    }

    async fn vendor_path_serves_graphql(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let request = app.http.post(format!("{}/public/query", app.url)).bearer_auth(&caller.token);
        let answer = app.send(request.json(&json!({ "query": "{ __typename }" }))).await;
        assert_eq!(answer.field("__typename"), "Query");
    }

    async fn health_needs_no_token(app: TestApp) {
        for path in ["/health/live", "/healthz"] {
            let live = app.send(app.http.get(format!("{}{path}", app.url))).await;
            assert_eq!((live.status, &live.body["status"]), (200, &json!("live")));
        }
        for path in ["/health/ready", "/readyz"] {
            let ready = app.send(app.http.get(format!("{}{path}", app.url))).await;
            let expected = json!({
                "status": "ready",
                "checks": { "database": "ok", "keys": "ok", "clock": "ok" },
            });
            assert_eq!((ready.status, &ready.body), (200, &expected));
        }
    }

    async fn gateway_without_its_database_is_live_and_not_ready(app: TestApp) {
        app.operator.database.close().await.unwrap();
        assert_eq!(app.send(app.http.get(format!("{}/health/live", app.url))).await.status, 200);
        let ready = app.send(app.http.get(format!("{}/health/ready", app.url))).await;
        assert_eq!(
            (ready.status, &ready.body["checks"]),
            (503, &json!({ "database": "failing", "keys": "ok", "clock": "ok" }))
        );
    }

    async fn requests_without_a_database_have_retry_after(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        let unseen = app.credentials(app.world.north, Role::Auditor).await;
        assert_eq!(caller.status().await, 200);
        app.operator.database.close().await.unwrap();
        let answer = caller.ask("{ clients { id } }", json!({})).await;
        assert_eq!((answer.status, answer.code()), (503, "DATABASE_UNAVAILABLE"));
        assert_eq!(answer.body["errors"][0]["extensions"]["retryable"], true);
        assert_eq!(answer.header("retry-after"), Some("1"));
        let token = app.ask_token(&unseen).await;
        assert_eq!((token.status, &token.body["error"]), (503, &json!("temporarily_unavailable")));
        assert_eq!(token.header("retry-after"), Some("1"));
        assert_eq!(
            app.send(app.http.get(format!("{}/.well-known/jwks.json", app.url))).await.status,
            200
        );
    }

    async fn internal_error_hides_its_cause(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        // No access of a client that has never authenticated is cached.
        let unseen = app.credentials(app.world.north, Role::Auditor).await;
        assert_eq!(caller.status().await, 200);
        app.operator.execute("ALTER TABLE client_secrets RENAME TO elsewhere").await;
        let answer = caller.ask("{ clients { id } }", json!({})).await;
        assert_eq!((answer.status, answer.code()), (200, "INTERNAL_SERVER_ERROR"));
        assert_eq!(answer.message(), "something failed on our side");
        assert_eq!(answer.body["errors"][0]["extensions"]["retryable"], true);
        let token = app.ask_token(&unseen).await;
        assert_eq!((token.status, &token.body["error"]), (500, &json!("server_error")));
    }

    async fn unknown_path_is_answered_in_json(app: TestApp) {
        for path in ["/", "/graphql/", "/metrics", "/oauth2"] {
            let answer = app.send(app.http.get(format!("{}{path}", app.url))).await;
            assert_eq!(
                (answer.status, &answer.body["error"]),
                (404, &json!("not_found")),
                "{path}"
            );
        }
    }
}
