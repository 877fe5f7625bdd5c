//! The snake_case twins of fields, for older scripts.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{TestApp, both_databases};

const FIELDS: &[(&str, &[&str])] = &[
    ("NewClient", &["clientSecret"]),
    (
        "Client",
        &[
            "clientID",
            "tenantID",
            "createdAt",
            "updatedAt",
            "createdBy",
            "updatedBy",
            "tokenRequestTime",
            "tokenRequestCount",
            "roleAssignments",
        ],
    ),
    ("ClientRoleAssignment", &["tenantID", "roleID", "roleName", "expiresAt"]),
];

fn snake(camel: &str) -> String {
    let words = camel.replace("ID", "Id");
    words
        .chars()
        .flat_map(|c| if c.is_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] })
        .collect()
}

both_databases! {
    async fn every_snake_case_twin_is_deprecated_and_typed_alike(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let types = "query($name: String!) { __type(name: $name) {
            fields(includeDeprecated: true) { name deprecationReason type { kind name ofType { kind
            name ofType { kind name } } } }
            inputFields(includeDeprecated: true) { name deprecationReason type { kind name ofType {
            kind name } } }
        } }";
        let find = |list: &Value, name: &str| {
            list.as_array().unwrap().iter().find(|field| field["name"] == name).cloned()
        };
        let input: (&str, &[&str]) =
            ("ClientRoleAssignmentInput", &["tenantID", "roleID", "expiresAt"]);
        for (kind, fields) in FIELDS.iter().chain([&input]) {
            let kind = caller.ask(types, json!({ "name": kind })).await.field("__type");
            let declared =
                if kind["fields"].is_array() { &kind["fields"] } else { &kind["inputFields"] };
            for field in *fields {
                let one = find(declared, field).unwrap();
                let two =
                    find(declared, &snake(field)).unwrap_or_else(|| panic!("{field} has no twin"));
                assert_eq!(
                    (&one["deprecationReason"], &two["deprecationReason"]),
                    (&Value::Null, &json!(format!("use {field}")))
                );
                assert_eq!(one["type"], two["type"], "{field}");
            }
            let twins = declared
                .as_array()
                .unwrap()
                .iter()
                .filter(|field| field["deprecationReason"].is_string())
                .count();
            assert_eq!(twins, fields.len());
        }
    }

    async fn every_snake_case_twin_returns_the_same_value(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let plain = |fields: &[&str]| {
            fields
                .iter()
                .filter(|field| **field != "roleAssignments")
                .map(|field| format!("{field} {} ", snake(field)))
                .collect::<String>()
        };
        let client = plain(FIELDS[1].1);
        let held = plain(FIELDS[2].1);
        let client = format!("{client} roleAssignments {{ {held} }} role_assignments {{ {held} }}");
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        assert!(app.works(&robot).await);
        administrator.client(&robot.id, "{ tokenRequestTime }").await;
        let document = format!(
            "mutation($id: ID!) {{ rotateClientSecret(id: $id) {{ clientSecret client_secret \
            client {{ {client} }} }} }}"
        );
        let shown = administrator
            .ask(&document, json!({ "id": robot.id }))
            .await
            .field("rotateClientSecret");
        assert_eq!(shown["clientSecret"], shown["client_secret"]);
        for field in FIELDS[1].1 {
            assert!(!shown["client"][*field].is_null(), "{field}");
            assert_eq!(shown["client"][*field], shown["client"][snake(field)], "{field}");
        }
        let assignment = &shown["client"]["roleAssignments"][0];
        for field in FIELDS[2].1 {
            assert_eq!(assignment[*field], assignment[snake(field)], "{field}");
        }
    }
}
