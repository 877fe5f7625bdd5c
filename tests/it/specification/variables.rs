//! Variables: absent is not null, defaults count, and nothing is executed where a value does not
//! fit.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;
use tenant_gateway_simulators::calls::Calls;

use crate::deep_security::rig::Rig;
use crate::support::{TestApp, both_databases};

fn last_body(rig: &Rig, path: &str) -> Value {
    let sent = rig.manager.seen(&Calls::to("POST", path).of(rig.manager.customer("North").id));
    serde_json::from_str(&sent.last().expect("the request was sent").body).unwrap()
}

both_databases! {
    async fn absent_variable_of_a_computer_is_not_sent(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let document = "mutation($id: ID!, $d: String, $p: ID, $g: ID) {
            updateDeepSecurityComputer(id: $id, input: { description: $d, policyID: $p, groupID: $g
            }) { id policyID } }";
        let before =
            writer.ask("{ deepSecurity { computer(id: 3) { policyID } } }", json!({})).await;
        let before = before.field("deepSecurity")["computer"]["policyID"].clone();
        let changed = writer
            .ask(document, json!({ "id": "3", "d": "new" }))
            .await
            .field("updateDeepSecurityComputer");
        assert_eq!(changed["policyID"], before, "the computer keeps its policy");
        assert_eq!(last_body(&rig, "/computers/3"), json!({ "description": "new" }));
        writer.ask(document, json!({ "id": "3", "p": null })).await.data();
        assert_eq!(last_body(&rig, "/computers/3"), json!({ "policyID": 0 }), "null is given");
    }

    async fn absent_variable_of_a_policy_is_not_sent(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let document = "mutation($name: String!, $parent: ID, $text: String) {
            updateDeepSecurityPolicy(id: 2, input: { name: $name, parentID: $parent, description:
            $text }) { name } }";
        writer.ask(document, json!({ "name": "Renamed" })).await.data();
        assert_eq!(last_body(&rig, "/policies/2"), json!({ "name": "Renamed" }));
    }

    async fn absent_variable_of_a_tenant_keeps_its_policy(app: TestApp) {
        let root = app.administrator(app.world.organization).await;
        let north = app.world.north;
        let set = "mutation($id: ID!) { updateTenant(tenantID: $id, tenantUpdate: { maxSecretAge: \
            864000 }) { id } }";
        root.ask(set, json!({ "id": north })).await.data();
        let rename = "mutation($id: ID!, $name: String, $age: Int) {
            updateTenant(tenantID: $id, tenantUpdate: { name: $name, maxSecretAge: $age }) { name
            maxSecretAge } }";
        let renamed = root
            .ask(rename, json!({ "id": north, "name": "Northern" }))
            .await
            .field("updateTenant");
        assert_eq!(renamed, json!({ "name": "Northern", "maxSecretAge": 864_000 }));
    }

    async fn value_that_does_not_fit_executes_no_field_of_a_mutation(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        let document = "mutation($name: String!, $grace: Int) {
            createClient(name: \"first\") { client { id } }
            b: createClient(name: $name, roles: []) { client { id } }
            c: rotateClientSecret(id: \"x\", gracePeriodSeconds: $grace) { client { id } } }";
        let many = json!({ "name": "x", "grace": 2_147_483_648_u64 });
        for variables in [json!({}), json!({ "name": null }), json!({ "name": 1 }), many] {
            let refused = caller.ask(document, variables.clone()).await;
            assert!(refused.body.get("data").is_none(), "{variables}: {}", refused.body);
        }
        let clients = caller.ask("{ clients { name } }", json!({})).await.field("clients");
        assert!(!clients.to_string().contains("first"), "{clients}");
    }

    async fn missing_variable_is_a_bad_request(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let request = caller.request("query($id: ID!) { tenant(id: $id) { id } }", &json!({}));
        let refused = caller
            .gateway
            .send(request.header("accept", "application/graphql-response+json"))
            .await;
        assert_eq!((refused.status, refused.code()), (400, "GRAPHQL_VALIDATION_FAILED"));
    }

    async fn default_of_a_variable_counts_in_directives(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let document = "query($i: Boolean = true, $s: Boolean = true) {
            a: __typename @include(if: $i) b: __typename @skip(if: $s) }";
        assert_eq!(caller.ask(document, json!({})).await.data(), json!({ "a": "Query" }));
        assert_eq!(
            caller.ask(document, json!({ "i": false, "s": false })).await.data(),
            json!({ "b": "Query" })
        );
    }

    async fn null_is_no_condition_of_a_directive(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        for directive in ["skip", "include"] {
            let document =
                format!("query($c: Boolean = true) {{ a: __typename @{directive}(if: $c) }}");
            let refused = caller.ask(&document, json!({ "c": null })).await;
            assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED", "{directive}");
            assert!(refused.body.get("data").is_none());
        }
    }

    async fn introspection_takes_a_variable_for_the_name_of_a_type(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let document = "query($name: String!) { __type(name: $name) { name kind } }";
        let told = caller.ask(document, json!({ "name": "Client" })).await.field("__type");
        assert_eq!(told, json!({ "name": "Client", "kind": "OBJECT" }));
    }

    async fn refusal_does_not_echo_the_value(app: TestApp) {
        let caller = app.administrator(app.world.north).await;
        let document =
            "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: $input) { id } }";
        let secret = "never-to-be-repeated";
        let input =
            json!({ "name": "x", "system": secret, "credential": { "secretKey": [secret] } });
        let refused = caller.ask(document, json!({ "input": input })).await;
        assert!(refused.body["errors"].is_array(), "{}", refused.body);
        assert!(!refused.body.to_string().contains(secret), "{}", refused.body);
    }
}
