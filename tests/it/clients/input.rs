//! Invalid input is refused with its code, naming the argument, and nothing is stored.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Caller, Credentials, TestApp, both_databases};

struct Bad {
    document: &'static str,
    variables: Value,
    code: &'static str,
    names: &'static str,
}

fn bad(document: &'static str, variables: Value, code: &'static str, names: &'static str) -> Bad {
    Bad { document, variables, code, names }
}

/// The state of a tenant.
async fn everything(caller: &Caller) -> Value {
    let document = "{ clients { id name enabled updatedAt secrets { id retiresAt } roleAssignments \
        { id expiresAt } } tenants { tenants { id name updatedAt } } }";
    caller.ask(document, json!({})).await.data()
}

async fn all_are_refused(app: &TestApp, cases: impl FnOnce(&Credentials) -> Vec<Bad>) {
    let administrator = app.administrator(app.world.north).await;
    let robot = administrator.create("robot", &[]).await;
    let before = everything(&administrator).await;
    app.advance(1);
    for Bad { document, mut variables, code, names } in cases(&robot) {
        variables["id"] = json!(robot.id);
        let answer = administrator.ask(document, variables.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (200, code),
            "{document} {variables}: {}",
            answer.body
        );
        assert!(answer.message().contains(names), "{document} {variables}: {}", answer.message());
    }
    assert_eq!(everything(&administrator).await, before);
}

const CREATE: &str = "mutation($name: String!, $roles: [ID!], $key: String, $owner: ID) { \
    createClient(name: $name, roles: $roles, idempotencyKey: $key, input: { ownerTenantID: $owner \
    }) { clientSecret } }";
const UPDATE: &str =
    "mutation($id: ID!, $name: String) { updateClient(id: $id, input: { name: $name }) { id } }";
const ROTATE: &str = "mutation($id: ID!, $grace: Int) { rotateClientSecret(id: $id, \
    gracePeriodSeconds: $grace) { clientSecret } }";
const APPEND: &str = "mutation($id: ID!, $role: ClientRoleAssignmentInput!) { \
    appendClientRoles(id: $id, roles: [$role]) { id } }";
const REMOVE: &str =
    "mutation($id: ID!, $roles: [ID!]!) { removeClientRoles(id: $id, roles: $roles) { id } }";
const CLIENTS: &str = "query($name: String, $roles: [ID!], $since: String, $ids: [ID!]) { \
    clients(name: $name, roleIDs: $roles, unusedSince: $since, clientIDs: $ids) { id } }";
const TENANT: &str = "mutation($name: String!) { createTenant(newTenant: { name: $name }) { id } }";

fn bad_names() -> Vec<String> {
    let controls = ["", "   ", "a\0b", "a\nb", "a\u{7f}b", "a\u{85}x", "\t", "a\u{2028}b"];
    let invisible = [
        "\u{200B}",
        "\u{2060}",
        "\u{200E}",
        "\u{FEFF}",
        "\u{AD}",
        "\u{2800}",
        " \u{200D} \u{FE0F}",
    ];
    let turned = ["invoice\u{202E}fdp.exe", "\u{202D}a", "a\u{2067}b"];
    controls
        .into_iter()
        .chain(invisible)
        .chain(turned)
        .map(str::to_owned)
        .chain(["x".repeat(256), "é".repeat(256)])
        .collect()
}

both_databases! {
    async fn names_are_validated(app: TestApp) {
        all_are_refused(&app, |_| {
            bad_names()
                .into_iter()
                .flat_map(|name| {
                    [CREATE, UPDATE, TENANT].map(|document| {
                        bad(document, json!({ "name": name }), "BAD_USER_INPUT", "name")
                    })
                })
                .collect()
        })
        .await;
        let administrator = app.administrator(app.world.north).await;
        for name in [
            "x".to_owned(),
            "é".repeat(255),
            "  東京 🚀 ".to_owned(),
            "مرحبا".to_owned(),
            "👩\u{200D}💻 in\u{AD}voice".to_owned(),
            "O'Brien; DROP TABLE clients--".to_owned(),
        ] {
            let made = administrator.create(&name, &[]).await;
            assert_eq!(administrator.client(&made.id, "{ name }").await["name"], name.trim());
        }
    }

    async fn patterns_are_validated(app: TestApp) {
        all_are_refused(&app, |_| {
            vec![
                bad(CLIENTS, json!({ "name": "a\0%" }), "BAD_USER_INPUT", "name"),
                bad(CLIENTS, json!({ "name": "%\n" }), "BAD_USER_INPUT", "name"),
                bad(CLIENTS, json!({ "name": "%".repeat(256) }), "BAD_USER_INPUT", "name"),
                bad(CLIENTS, json!({ "since": "yesterday" }), "BAD_USER_INPUT", "unusedSince"),
                bad(CLIENTS, json!({ "ids": vec!["x"; 1001] }), "BAD_USER_INPUT", "clientIDs"),
                bad(CLIENTS, json!({ "roles": vec!["x"; 1001] }), "BAD_USER_INPUT", "roleIDs"),
            ]
        })
        .await;
        let administrator = app.administrator(app.world.north).await;
        let found =
            administrator.ask(CLIENTS, json!({ "roles": ["no role"] })).await.field("clients");
        assert_eq!(found, json!([]), "a filter by unknown ids finds nothing");
    }

    async fn roles_and_expiries_are_validated(app: TestApp) {
        let foreign = app.world.stranger;
        let past = app.in_seconds(0);
        let now = app.in_seconds(1);
        let auditor = Role::Auditor.id().to_string();
        all_are_refused(&app, |_| {
            vec![
                bad(
                    CREATE,
                    json!({ "name": "a", "roles": ["no role"] }),
                    "BAD_USER_INPUT",
                    "roles",
                ),
                bad(
                    CREATE,
                    json!({ "name": "a", "roles": ["00000000-0000-4000-8000-000000000000"] }),
                    "BAD_USER_INPUT",
                    "roles",
                ),
                bad(CREATE, json!({ "name": "a", "roles": [""] }), "BAD_USER_INPUT", "roles"),
                bad(CREATE, json!({ "name": "a", "owner": foreign }), "FORBIDDEN", "ownerTenantID"),
                bad(
                    CREATE,
                    json!({ "name": "a", "owner": "no tenant" }),
                    "FORBIDDEN",
                    "ownerTenantID",
                ),
                bad(APPEND, json!({ "role": {} }), "BAD_USER_INPUT", "roleID"),
                bad(APPEND, json!({ "role": { "roleID": "no role" } }), "BAD_USER_INPUT", "roleID"),
                bad(
                    APPEND,
                    json!({ "role": { "roleID": auditor, "tenantID": foreign } }),
                    "FORBIDDEN",
                    "tenant of the role",
                ),
                bad(
                    APPEND,
                    json!({ "role": { "roleID": auditor, "tenantID": "no tenant" } }),
                    "FORBIDDEN",
                    "tenant of the role",
                ),
                bad(
                    APPEND,
                    json!({ "role": { "roleID": auditor, "expiresAt": past } }),
                    "BAD_USER_INPUT",
                    "expiresAt",
                ),
                bad(
                    APPEND,
                    json!({ "role": { "roleID": auditor, "expiresAt": now } }),
                    "BAD_USER_INPUT",
                    "expiresAt",
                ),
                bad(
                    APPEND,
                    json!({ "role": { "roleID": auditor, "expiresAt": "2031-01-01" } }),
                    "BAD_USER_INPUT",
                    "expiresAt",
                ),
                bad(
                    APPEND,
                    json!({ "role": { "roleID": auditor, "expiresAt": "" } }),
                    "BAD_USER_INPUT",
                    "expiresAt",
                ),
                bad(REMOVE, json!({ "roles": ["no role"] }), "BAD_USER_INPUT", "roles"),
                bad(REMOVE, json!({ "roles": vec!["x"; 1001] }), "BAD_USER_INPUT", "roles"),
            ]
        })
        .await;
    }

    async fn idempotency_keys_and_grace_periods_are_validated(app: TestApp) {
        all_are_refused(&app, |_| {
            vec![
                bad(CREATE, json!({ "name": "a", "key": "" }), "BAD_USER_INPUT", "idempotencyKey"),
                bad(
                    CREATE,
                    json!({ "name": "a", "key": "two words" }),
                    "BAD_USER_INPUT",
                    "idempotencyKey",
                ),
                bad(CREATE, json!({ "name": "a", "key": "é" }), "BAD_USER_INPUT", "idempotencyKey"),
                bad(
                    CREATE,
                    json!({ "name": "a", "key": "x".repeat(256) }),
                    "BAD_USER_INPUT",
                    "idempotencyKey",
                ),
                bad(ROTATE, json!({ "grace": -1 }), "BAD_USER_INPUT", "gracePeriodSeconds"),
                bad(ROTATE, json!({ "grace": 604_801 }), "BAD_USER_INPUT", "gracePeriodSeconds"),
                bad(ROTATE, json!({ "grace": i32::MAX }), "BAD_USER_INPUT", "gracePeriodSeconds"),
            ]
        })
        .await;
    }

    async fn ids_that_no_database_takes_are_unknown(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        for id in ["a\0b", "\0", "", &"x".repeat(10_000), "' OR 1=1 --", "\u{fffd}"] {
            for document in [
                "query($id: ID!) { client(id: $id) { id } }",
                "query($id: ID!) { tenant(id: $id) { id } }",
                "mutation($id: ID!) { updateClient(id: $id, input: { enabled: true }) { id } }",
                "mutation($id: ID!) { rotateClientSecret(id: $id) { clientSecret } }",
                "mutation($id: ID!) { forceRotateClientSecret(id: $id) { clientSecret } }",
                "mutation($id: ID!) { retireClientSecret(id: $id, secretID: $id) { id } }",
                "mutation($id: ID!) { appendClientRoles(id: $id, roles: []) { id } }",
                "mutation($id: ID!) { removeClientRoles(id: $id, roles: []) { id } }",
                "mutation($id: ID!) { deleteClient(id: $id) { id } }",
                "mutation($id: ID!) { updateTenant(tenantID: $id, tenantUpdate: {}) { id } }",
                "mutation($id: ID!) { createTenant(newTenant: { name: \"x\", parentTenantID: $id \
                }) { id } }",
            ] {
                assert_eq!(
                    administrator.ask(document, json!({ "id": id })).await.code(),
                    "NOT_FOUND",
                    "{document} {id:?}"
                );
            }
        }
    }

    async fn filter_values_that_no_database_accepts_find_nothing(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let document = "query($x: String) { auditLog(operation: $x, actor: $x, subject: $x) { \
            nodes { id } } clients(clientIDs: [\"a\\u0000\"]) { id } }";
        let found = administrator.ask(document, json!({ "x": "a\0b" })).await;
        match found.body.get("errors") {
            None => assert_eq!(found.data(), json!({ "auditLog": { "nodes": [] }, "clients": [] })),
            Some(_) => assert_eq!(found.code(), "BAD_USER_INPUT"),
        }
    }

    async fn document_that_does_not_fit_the_schema_has_its_error_code(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        for (document, variables, code) in [
            ("{ clients(", json!({}), "GRAPHQL_PARSE_FAILED"),
            ("", json!({}), "GRAPHQL_PARSE_FAILED"),
            ("{ noSuchField }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
            ("query($id: ID!) { client(id: $id) { id } }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
            (
                "query($page: Int) { clients(page: $page) { id } }",
                json!({ "page": "one" }),
                "GRAPHQL_VALIDATION_FAILED",
            ),
            (
                "query a { __typename } query b { __typename }",
                json!({}),
                "OPERATION_RESOLUTION_FAILURE",
            ),
            ("fragment f on Query { __typename }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ] {
            let answer = administrator.ask(document, variables).await;
            assert_eq!((answer.status, answer.code()), (200, code), "{document}: {}", answer.body);
        }
    }
}
