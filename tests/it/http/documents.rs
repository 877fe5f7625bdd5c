//! Repeated documents: their validity is cached, their responses are not.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{TestApp, both_databases};

both_databases! {
    async fn cached_document_is_executed_for_each_caller(app: TestApp) {
        let document = "{ requestTenantContext { tenantIDs } }";
        for tenant in [app.world.north, app.world.south, app.world.north] {
            let caller = app.caller(tenant, Role::Auditor).await;
            let expected = json!({ "requestTenantContext": { "tenantIDs": [tenant.to_string()] } });
            assert_eq!(caller.ask(document, Value::Null).await.data(), expected);
        }
    }

    async fn invalid_document_is_refused_each_time(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        for document in
            ["{ tenants { nothing } }", "{ requestTenantContext }", "{ tenant(id: 1.5) { id } }"]
        {
            for _ in 0..3 {
                let refused = caller.ask(document, Value::Null).await;
                assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED", "{document}");
            }
        }
        let foreign = format!("{{ tenant(id: \"{}\") {{ id }} }}", app.world.south);
        for _ in 0..3 {
            assert!(caller.ask(&foreign, Value::Null).await.body["errors"].is_array());
        }
    }

    async fn introspection_is_the_same_each_time(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        let fields = "{ __schema { queryType { fields { name } } } }";
        let first = caller.ask(fields, json!({})).await.data();
        assert_eq!(caller.ask(fields, json!({})).await.data(), first);
    }

    async fn federation_fields_are_rejected(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        for document in
            ["{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"]
        {
            for _ in 0..2 {
                let answer = caller.ask(document, json!({})).await;
                assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
            }
        }
    }

    async fn values_of_variables_are_coerced_each_time(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let document = "query ($count: Int) { tenants(tenantsQuery: { count: $count }) { count } }";
        for _ in 0..3 {
            let answer = caller.ask(document, json!({ "count": 1 })).await;
            assert_eq!(answer.data(), json!({ "tenants": { "count": 1 } }));
            let refused = caller.ask(document, json!({ "count": "one" })).await;
            assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED", "{}", refused.body);
        }
    }
}
