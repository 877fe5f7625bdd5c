//! Unrelated tenants cannot tell foreign from unknown objects.

use serde_json::json;
use tenant_gateway::roles::Role;

use crate::support::{TestApp, both_databases};

both_databases! {
    async fn forbidden_tenants_look_like_unknown_ones(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let closed = app.operator.tenant(app.world.organization, "Closed", false).await;
        let administrator = app.administrator(app.world.organization).await;
        let disable = "mutation($id: ID!) { updateTenant(tenantID: $id, tenantUpdate: { enabled: \
            false }) { enabled } }";
        administrator.ask(disable, json!({ "id": closed })).await.data();

        let ask = |tenant: String| {
            let caller = north.within(tenant);
            async move { caller.ask("{ tenants { totalCount } }", json!({})).await }
        };
        let unknown = ask("00000000-0000-4000-8000-000000000000".to_owned()).await;
        assert_eq!((unknown.status, unknown.code()), (403, "FORBIDDEN"));
        let others = [app.world.stranger, app.world.south, app.world.organization, closed]
            .map(|id| id.to_string());
        for other in
            others.into_iter().chain(["no id".to_owned(), "*".to_owned(), "10001".to_owned()])
        {
            assert_eq!(ask(other.clone()).await.learnt(), unknown.learnt(), "{other}");
        }
        let above = administrator.within(closed).ask("{ tenants { totalCount } }", json!({})).await;
        assert_eq!(above.learnt(), unknown.learnt());
    }

    async fn schema_is_hidden_without_a_token(app: TestApp) {
        let documents = [
            "{ clients { id } }",
            "{ noSuchField }",
            "{ __schema { types { name } } }",
            "{ __typename }",
            "{ clients(",
            "mutation { deleteClient(id: 1) { id } }",
            "",
        ];
        let mut learnt = Vec::new();
        for document in documents {
            let answer = app.send(app.graphql(document, &json!({}))).await;
            assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{document}");
            learnt.push(answer.learnt());
        }
        for body in ["", "not json", "[]", "{\"query\":1}"] {
            learnt.push(
                app.send(app.http.post(format!("{}/graphql", app.url)).body(body)).await.learnt(),
            );
        }
        learnt.push(app.send(app.http.get(format!("{}/graphql", app.url))).await.learnt());
        assert!(learnt.iter().all(|other| *other == learnt[0]), "{learnt:#?}");
    }

    async fn invalid_tokens_are_refused_alike(app: TestApp) {
        let mut gone = app.caller(app.world.north, Role::Auditor).await;
        let administrator = app.administrator(app.world.north).await;
        administrator
            .ask("mutation($id: ID!) { deleteClient(id: $id) { id } }", json!({ "id": gone.id() }))
            .await
            .data();
        let of_deleted = gone.ask("{ __typename }", json!({})).await;
        assert_eq!((of_deleted.status, of_deleted.code()), (401, "UNAUTHENTICATED"));
        for token in ["x", "a.b.c", &"x".repeat(6000)] {
            gone.token = token.to_owned();
            assert_eq!(gone.ask("{ __typename }", json!({})).await.learnt(), of_deleted.learnt());
        }
        let headers = ["Bearer", "Bearer ", "Basic abc", "bearer\tx", "é"];
        for header in headers {
            let header = reqwest::header::HeaderValue::from_bytes(header.as_bytes()).unwrap();
            let request = app.graphql("{ __typename }", &json!({})).header("authorization", header);
            assert_eq!(app.send(request).await.learnt(), of_deleted.learnt());
        }
        let twice = app.graphql("{ __typename }", &json!({})).bearer_auth(&administrator.token);
        let twice = twice.header("authorization", format!("Bearer {}", administrator.token));
        assert_eq!(app.send(twice).await.learnt(), of_deleted.learnt());
    }
}
