//! The headers that select the tenant.

use serde_json::json;

use crate::support::{Answer, Caller, TestApp, both_databases, raw};

const CONTEXT: &str = "X-Tenant-Context";
const ID: &str = "X-Tenant-ID";

async fn ask(caller: &Caller, headers: &[(&str, String)]) -> Answer {
    let mut request = caller
        .gateway
        .graphql("{ requestTenantContext { tenantIDs } }", &json!({}))
        .bearer_auth(&caller.token);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    caller.gateway.send(request).await
}

both_databases! {
    async fn tenant_in_context_defaults_to_the_clients_own(app: TestApp) {
        let caller = app.administrator(app.world.organization).await;
        let own = ask(&caller, &[]).await.field("requestTenantContext");
        assert_eq!(own, json!({ "tenantIDs": [app.world.organization] }));
    }

    async fn both_header_names_choose_the_tenant(app: TestApp) {
        let caller = app.administrator(app.world.organization).await;
        let north = app.world.north.to_string();
        let expected = json!({ "tenantIDs": [app.world.north] });
        for headers in [
            vec![(CONTEXT, north.clone())],
            vec![(ID, north.clone())],
            vec![(CONTEXT, north.clone()), (ID, north.clone())],
            vec![("x-tenant-context", north.to_uppercase())],
        ] {
            assert_eq!(
                ask(&caller, &headers).await.field("requestTenantContext"),
                expected,
                "{headers:?}"
            );
        }
    }

    async fn ambiguous_tenant_headers_are_refused(app: TestApp) {
        let caller = app.administrator(app.world.organization).await;
        let north = app.world.north.to_string();
        let south = app.world.south.to_string();
        for headers in [
            vec![(CONTEXT, north.clone()), (CONTEXT, south.clone())],
            vec![(CONTEXT, north.clone()), (CONTEXT, north.clone())],
            vec![(ID, north.clone()), (ID, south.clone())],
            vec![(CONTEXT, format!("{north},{south}"))],
            vec![(CONTEXT, format!("{north}, {south}"))],
            vec![(CONTEXT, north.clone()), (ID, south.clone())],
            vec![(CONTEXT, String::new())],
            vec![(ID, String::new())],
        ] {
            let answer = ask(&caller, &headers).await;
            assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"), "{headers:?}");
        }
    }

    async fn non_ascii_tenant_header_names_an_unknown_tenant(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        for bytes in [&b"\xff\xfe"[..], "höchst".as_bytes(), b"\xc3("] {
            let body = r#"{"query":"{ __typename }"}"#;
            let mut request = format!(
                "POST /graphql HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Type: \
                application/json\r\nAuthorization: Bearer {}\r\nContent-Length: \
                {}\r\nX-Tenant-Context: ",
                caller.token,
                body.len()
            )
            .into_bytes();
            request.extend_from_slice(bytes);
            request.extend_from_slice(b"\r\n\r\n");
            request.extend_from_slice(body.as_bytes());
            let (status, answer) = raw::exchange(app.address, &request).await.expect("an answer");
            assert_eq!(
                (status, &answer["errors"][0]["extensions"]["code"]),
                (403, &json!("FORBIDDEN"))
            );
        }
    }

    async fn every_answer_names_its_request(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        let with = |id: &'static str| {
            let request =
                app.graphql("{ client(id: 1) { id } }", &json!({})).bearer_auth(&caller.token);
            app.send(request.header("X-Request-Id", id))
        };
        let kept = with("trace-1.a_B").await;
        assert_eq!(kept.header("x-request-id"), Some("trace-1.a_B"));
        assert_eq!(kept.body["errors"][0]["extensions"]["requestId"], "trace-1.a_B");
        for malformed in [
            "",
            "two words",
            "a/b",
            "0123456789012345678901234567890123456789012345678901234567890123456789",
        ] {
            let replaced = with(malformed).await;
            let id = replaced.header("x-request-id").unwrap();
            assert!(!id.is_empty() && id != malformed, "{id}");
            assert_eq!(replaced.body["errors"][0]["extensions"]["requestId"], *id);
        }
    }

    async fn responses_name_their_vary_headers(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        for answer in [ask(&caller, &[]).await, app.send(app.graphql("{ x }", &json!({}))).await] {
            assert_eq!(
                answer.header("vary"),
                Some("Authorization, X-Tenant-Context, Accept, Accept-Encoding")
            );
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}
