//! A field selected twice is executed once, and the response has the form of the merged selection.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::caller::Credentials;
use crate::support::streams::{Events, Streaming};
use crate::support::{TestApp, both_databases};

both_databases! {
    async fn field_that_two_fragments_select_is_executed_once(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        let robot = caller.create("robot", &[]).await;
        let document = "mutation($i: ID!) { ...A ...B }
            fragment A on Mutation { rotateClientSecret(id: $i, gracePeriodSeconds: 3600) {
            clientSecret } }
            fragment B on Mutation { rotateClientSecret(id: $i, gracePeriodSeconds: 3600) { client {
            id clientID } } }";
        let rotated =
            caller.ask(document, json!({ "i": robot.id })).await.field("rotateClientSecret");
        let new = Credentials::of(&rotated);
        assert!(app.works(&new).await, "the secret that was shown works");
        assert!(app.works(&robot).await, "the old secret has its grace period");
    }

    async fn tenant_selected_twice_is_created_once(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        let document = "mutation { createTenant(newTenant: { name: \"Twice\" }) { id }
            createTenant(newTenant: { name: \"Twice\" }) { name } }";
        let made = caller.ask(document, json!({})).await;
        let made = made.field("createTenant");
        assert_eq!(made["name"], "Twice");
        assert!(made["id"].is_string());
        let found =
            "{ tenants(tenantsQuery: { names: [\"Twice\"], count: 10 }) { tenants { id } } }";
        let found = caller.ask(found, json!({})).await.field("tenants");
        assert_eq!(found, json!({ "tenants": [{ "id": made["id"] }] }));
    }

    async fn client_that_is_selected_twice_has_the_secret_that_is_shown(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        let document =
            "mutation { createClient(name: \"robot\") { client { id clientID } } ...Secret }
            fragment Secret on Mutation { createClient(name: \"robot\") { clientSecret } }";
        let made = Credentials::of(&caller.ask(document, json!({})).await.field("createClient"));
        assert!(app.works(&made).await);
    }

    async fn object_of_which_all_is_skipped_is_empty(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let document = "query($no: Boolean!) { tenants { count @include(if: $no) tenants { id
            @include(if: $no) } }
            requestTenantContext { tenantIDs @include(if: $no) } }";
        let answer = caller.ask(document, json!({ "no": false })).await.data();
        assert_eq!(answer, json!({ "tenants": { "tenants": [{}] }, "requestTenantContext": {} }));
    }

    async fn members_stand_in_the_order_of_the_merged_selection(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        let document = "{ d: __typename clients { name } currentSubject { id } a: tenants { count }
            ...F c: __typename }
            fragment F on Query { clients { id roles } a: tenants { tenants { name id } } }";
        for _ in 0..10 {
            let text =
                caller.request(document, &Value::Null).send().await.unwrap().text().await.unwrap();
            let keys = ["\"d\"", "\"clients\"", "\"currentSubject\"", "\"a\"", "\"c\""];
            let found: Vec<_> = keys
                .iter()
                .map(|key| text.find(key).unwrap_or_else(|| panic!("{key} {text}")))
                .collect();
            assert!(found.is_sorted(), "{text}");
            assert!(text.contains("\"a\":{\"count\":1,\"tenants\":[{\"name\":"), "{text}");
        }
    }

    async fn subscription_through_a_fragment_has_its_events(app: Streaming) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let document = "subscription { ...F } fragment F on Ticks { ticks(millis: 1) }";
        let mut events = Events::of(&caller, document).await;
        let (name, first) = events.next().await.expect("an event");
        assert_eq!((&*name, &first["data"]), ("next", &json!({ "ticks": 1 })), "{first}");
    }

    async fn first_failing_field_of_a_mutation_keeps_what_came_before(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        let document = "mutation { a: createClient(name: \"kept\") { client { id } }
            b: rotateClientSecret(id: \"00000000-0000-0000-0000-000000000000\") { client { id } }
            c: createClient(name: \"later\") { client { id } } }";
        let answer = caller.ask(document, json!({})).await;
        assert_eq!(answer.body["errors"].as_array().unwrap().len(), 1, "{}", answer.body);
        assert_eq!(answer.body["errors"][0]["path"], json!(["b"]));
        let names =
            caller.ask("{ clients { name } }", json!({})).await.field("clients").to_string();
        assert!(names.contains("kept"), "{names}");
    }
}
