//! Which documents are judged again.

use std::ops::Deref;
use std::sync::Arc;

use async_graphql::{Request, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde_json::{Value, json};
use tenant_gateway::app::Core;
use tenant_gateway::http::graphql::{Graph, Judged};
use tenant_gateway::roles::Role;
use tenant_gateway::schema;

use crate::support::{Answer, Engine, OnEngine, TestApp, both_databases};

/// A graph that says in its answers which documents it did not judge.
struct Telling(Box<dyn Graph>);

impl Graph for Telling {
    fn sdl(&self) -> String {
        self.0.sdl()
    }

    fn execute(&self, operation: Request) -> BoxFuture<'_, Response> {
        self.0.execute(operation)
    }

    fn execute_valid(&self, operation: Request) -> BoxFuture<'_, Response> {
        let answer = self.0.execute_valid(operation);
        answer.map(|answer| answer.extension("known", async_graphql::Value::from(true))).boxed()
    }

    fn stream(&self, operation: Request) -> BoxStream<'static, Response> {
        self.0.stream(operation)
    }
}

fn telling(core: &Core) -> Arc<dyn Graph> {
    let rooms = core.rooms();
    Arc::new(Telling(Box::new(Judged::new(|| schema::over(rooms.clone(), true)))))
}

struct Judging(TestApp);

impl OnEngine for Judging {
    async fn on(engine: Engine) -> Self {
        Self(TestApp::before(telling, engine).await)
    }
}

impl Deref for Judging {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

fn was_known(answer: &Answer) -> bool {
    answer.body["extensions"]["known"] == json!(true)
}

both_databases! {
    async fn a_document_without_variables_is_judged_until_it_is_found_valid(app: Judging) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let document = "{ requestTenantContext { tenantIDs } }";
        let first = caller.ask(document, Value::Null).await;
        let second = caller.ask(document, Value::Null).await;
        assert_eq!((was_known(&first), was_known(&second)), (false, true));
        assert_eq!(first.body["data"], json!({ "requestTenantContext": { "tenantIDs": [app.world.north.to_string()] } }));
        assert_eq!(first.body["data"], second.body["data"]);
        // What was found valid for one is so for all; whom it is answered for is another matter.
        let other = app.caller(app.world.south, Role::Auditor).await.ask(document, Value::Null).await;
        assert!(was_known(&other));
        assert_eq!(other.body["data"], json!({ "requestTenantContext": { "tenantIDs": [app.world.south.to_string()] } }));
    }

    async fn a_document_that_is_not_valid_is_refused_each_time(app: Judging) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let foreign = app.world.south;
        for document in [
            "{ tenants { nothing } }",
            "{ requestTenantContext }",
            "{ tenant(id: 1.5) { id } }",
            &format!("{{ tenant(id: \"{foreign}\") {{ id }} }}"),
        ] {
            for _ in 0..3 {
                let refused = caller.ask(document, Value::Null).await;
                assert!(!was_known(&refused) && refused.body["errors"].is_array(), "{document}: {}", refused.body);
            }
        }
    }

    async fn what_asks_about_the_schema_is_judged_each_time_and_hears_the_same(app: Judging) {
        let caller = app.administrator(app.world.partner).await;
        let fields = "{ __schema { queryType { fields { name } } } }";
        let first = caller.ask(fields, json!({})).await;
        let again = caller.ask(fields, json!({})).await;
        assert!(!was_known(&again));
        assert_eq!(again.data(), first.data());
    }

    async fn nothing_of_federation_can_be_asked(app: Judging) {
        let caller = app.administrator(app.world.partner).await;
        for document in ["{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"] {
            for _ in 0..2 {
                let answer = caller.ask(document, json!({})).await;
                assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
            }
        }
    }

    async fn the_values_of_variables_are_judged_each_time(app: Judging) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let document = "query ($count: Int) { tenants(tenantsQuery: { count: $count }) { count } }";
        for _ in 0..3 {
            let answer = caller.ask(document, json!({ "count": 1 })).await;
            assert!(!was_known(&answer));
            assert_eq!(answer.body["data"], json!({ "tenants": { "count": 1 } }));
            let refused = caller.ask(document, json!({ "count": "one" })).await;
            assert_eq!((was_known(&refused), refused.code()), (false, "GRAPHQL_VALIDATION_FAILED"), "{}", refused.body);
        }
    }
}
