//! A caller who changes a client must hold all of its roles, for at least as long.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases};
use crate::tenancy::table::{MUTATIONS, Row};

/// The mutations that change an existing client.
fn changes() -> impl Iterator<Item = &'static Row> {
    MUTATIONS.iter().filter(|row| row.object == Some("client"))
}

/// The only client mutation that changes no existing client.
const CREATES: &str = "createClient";

async fn append(caller: &Caller, id: &str, role: Role, expires_at: Value) -> Answer {
    let document = "mutation($id: ID!, $role: ID!, $end: String) {
        appendClientRoles(id: $id, roles: [{ roleID: $role, expiresAt: $end }]) { id } }";
    caller.ask(document, json!({ "id": id, "role": role.id(), "end": expires_at })).await
}

/// Creates a client that holds the role until that time, with an older secret and a key; its ids
/// are named as in the table's rows.
async fn target(app: &TestApp, by: &Caller, role: Role, expires_at: &Value) -> Value {
    let client = by.create("target", &[&Role::Auditor.id().to_string()]).await;
    append(by, &client.id, role, expires_at.clone()).await.data();
    app.advance(1);
    by.rotate(&client, 600).await;
    let document = r#"mutation($id: ID!) { addClientKey(id: $id, input: { jwk: { kty: "OKP", crv:
        "Ed25519", x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" } }) { keys { id } secrets { id
        } } }"#;
    let made = by.ask(document, json!({ "id": client.id })).await.field("addClientKey");
    json!({ "client": client.id, "secret": made["secrets"][1]["id"], "key": made["keys"][0]["id"] })
}

async fn state(caller: &Caller, target: &Value) -> Value {
    let fields = "{ name enabled updatedAt secrets { id retiresAt } keys { id } roleAssignments { \
        id expiresAt } }";
    caller.client(target["client"].as_str().unwrap(), fields).await
}

both_databases! {
    async fn changing_a_client_requires_a_role_that_lasts_as_long(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let limited = app.caller(app.world.north, Role::Auditor).await;
        let end = json!(app.in_seconds(3600));
        append(&administrator, limited.id(), Role::Administrator, end.clone()).await.data();
        for row in changes() {
            for beyond in [Value::Null, json!(app.in_seconds(7200))] {
                let stronger = target(&app, &administrator, Role::Responder, &beyond).await;
                let before = state(&administrator, &stronger).await;
                let answer = limited.ask(row.document, stronger.clone()).await;
                assert_eq!(answer.code(), "FORBIDDEN", "{} of a role until {beyond}", row.field);
                assert_eq!(state(&administrator, &stronger).await, before, "{}", row.field);
                administrator.ask(row.document, stronger).await.data();
            }
        }
        for row in changes() {
            // Created by the limited caller: the default role expires with the caller's own.
            let equal = target(&app, &limited, Role::Responder, &end).await;
            limited.ask(row.document, equal).await.data();
        }
    }

    async fn every_mutation_about_clients_stands_in_the_table(app: TestApp) {
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        let document = "{ __schema {
            types { name fields(includeDeprecated: true) { name type { ...Named } } }
            mutationType { fields(includeDeprecated: true) { name args { name } type { ...Named } }
            }
        } }
        fragment Named on __Type { name ofType { name ofType { name ofType { name } } } }";
        let schema = auditor.ask(document, json!({})).await.field("__schema");
        let showing = types_that_show_clients(&schema["types"]);
        let about_clients =
            schema["mutationType"]["fields"].as_array().unwrap().iter().filter(|mutation| {
                let mut arguments = mutation["args"].as_array().unwrap().iter();
                showing.contains(named(&mutation["type"]))
                    || arguments.any(|argument| {
                        argument["name"].as_str().unwrap().to_lowercase().contains("client")
                    })
            });
        let about_clients: BTreeSet<&str> =
            about_clients.map(|mutation| mutation["name"].as_str().unwrap()).collect();
        let expected: BTreeSet<&str> =
            changes().map(|row| row.field).filter(|field| *field != CREATES).collect();
        assert!(expected.len() >= 9);
        assert_eq!(about_clients, expected.into_iter().chain([CREATES]).collect());
    }

    async fn second_shorter_assignment_does_not_shorten_a_role(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let limited = app.caller(app.world.north, Role::Auditor).await;
        append(&administrator, limited.id(), Role::Administrator, json!(app.in_seconds(60)))
            .await
            .data();
        // It is an auditor without expiry and an administrator for a while.
        let robot = app.credentials(app.world.north, Role::Responder).await;
        for end in [json!(app.in_seconds(1)), json!(app.in_seconds(60)), Value::Null] {
            assert_eq!(append(&limited, &robot.id, Role::Responder, end).await.code(), "FORBIDDEN");
        }
        let held = administrator.client(&robot.id, "{ roleAssignments { expiresAt } }").await;
        assert_eq!(held, json!({ "roleAssignments": [{ "expiresAt": null }] }));
    }

    async fn extended_role_counts_at_once(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let limited = app.caller(app.world.north, Role::Auditor).await;
        append(&administrator, limited.id(), Role::Analyst, json!(app.in_seconds(60))).await.data();
        let robot = app.credentials(app.world.north, Role::Analyst).await;
        let rotate = "mutation($id: ID!) { rotateClientSecret(id: $id) { clientSecret } }";
        assert_eq!(limited.ask(rotate, json!({ "id": robot.id })).await.code(), "FORBIDDEN");
        append(&administrator, limited.id(), Role::Analyst, Value::Null).await.data();
        limited.ask(rotate, json!({ "id": robot.id })).await.data();
    }
}

fn named(of: &Value) -> &str {
    of["name"].as_str().unwrap_or_else(|| named(&of["ofType"]))
}

/// The objects from which a client can be reached.
fn types_that_show_clients(types: &Value) -> BTreeSet<&str> {
    let mut showing = BTreeSet::from(["Client"]);
    loop {
        let more: Vec<&str> = types
            .as_array()
            .unwrap()
            .iter()
            .filter(|object| {
                !["Query", "Mutation", "Subscription"].contains(&object["name"].as_str().unwrap())
            })
            .filter(|object| {
                let mut fields = object["fields"].as_array().into_iter().flatten();
                fields.any(|field| showing.contains(named(&field["type"])))
            })
            .map(|object| object["name"].as_str().unwrap())
            .filter(|name| !showing.contains(name))
            .collect();
        if more.is_empty() {
            return showing;
        }
        showing.extend(more);
    }
}
