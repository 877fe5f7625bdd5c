//! The life cycle of a client: created, changed, disabled, deleted.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Caller, TestApp, both_databases};

const CLIENT: &str = "{ id name clientID tenantID ownerTenantID roles enabled environment \
    createdAt updatedAt createdBy updatedBy roleAssignments { roleID tenantID roleName expiresAt } \
    }";

async fn update(caller: &Caller, id: &str, input: Value) -> crate::support::Answer {
    let document = format!(
        "mutation($id: ID!, $input: UpdateClientInput!) {{ updateClient(id: $id, input: $input) \
        {CLIENT} }}"
    );
    caller.ask(&document, json!({ "id": id, "input": input })).await
}

async fn delete(caller: &Caller, id: &str) -> crate::support::Answer {
    caller
        .ask("mutation($id: ID!) { deleteClient(id: $id) { id name } }", json!({ "id": id }))
        .await
}

both_databases! {
    async fn new_client_is_analyst_of_tenant_in_context_by_default(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        for roles in [Value::Null, json!([])] {
            let document = format!(
                "mutation($roles: [ID!]) {{ createClient(name: \" robot \", roles: $roles) {{ \
                client {CLIENT} }} }}"
            );
            let answer = administrator
                .within(app.world.north)
                .ask(&document, json!({ "roles": roles }))
                .await;
            let client = answer.field("createClient")["client"].clone();
            let analyst = Role::Analyst.id().to_string();
            let expected = json!({
                "id": client["id"],
                "clientID": client["clientID"],
                "name": "robot",
                "tenantID": app.world.north,
                "ownerTenantID": null,
                "roles": analyst,
                "enabled": true,
                "environment": null,
                "createdAt": app.in_seconds(0),
                "updatedAt": app.in_seconds(0),
                "createdBy": administrator.id(),
                "updatedBy": administrator.id(),
                "roleAssignments": [
                    {
                        "roleID": analyst,
                        "tenantID": app.world.north,
                        "roleName": "TenantAnalyst",
                        "expiresAt": null,
                    },
                ],
            });
            assert_eq!(client, expected);
            let client_id = client["clientID"].as_str().unwrap();
            assert!(
                client_id.len() == 32 && client_id.bytes().all(|byte| byte.is_ascii_alphanumeric())
            );
        }
    }

    async fn every_field_accepts_global_and_remote_id(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let client = administrator.create("robot", &[]).await;
        for id in [client.id.clone(), client.client_id.clone(), client.id.to_uppercase()] {
            assert_eq!(administrator.client(&id, "{ id }").await, json!({ "id": client.id }));
            assert_eq!(
                update(&administrator, &id, json!({ "name": "renamed" }))
                    .await
                    .field("updateClient")["id"],
                client.id
            );
            for field in [
                "rotateClientSecret(id: $id) { client { id } }",
                "forceRotateClientSecret(id: $id) { client { id } }",
                r#"appendClientRoles(id: $id, roles: [{ roleID:
                    "ace1cae4-59fd-4fd1-9500-40077dc529a7" }]) { id }"#,
                r#"removeClientRoles(id: $id, roles: ["ace1cae4-59fd-4fd1-9500-40077dc529a7"]) { id
                    }"#,
            ] {
                administrator
                    .ask(&format!("mutation($id: ID!) {{ {field} }}"), json!({ "id": id }))
                    .await
                    .data();
            }
        }
        assert_eq!(
            delete(&administrator, &client.client_id).await.field("deleteClient")["id"],
            client.id
        );
    }

    async fn update_keeps_fields_that_it_omits(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let client = administrator.create("robot", &[]).await;
        let before = administrator.client(&client.id, CLIENT).await;
        app.advance(1);
        let renamed = update(&administrator, &client.id, json!({ "name": " Ρομπότ " }))
            .await
            .field("updateClient");
        let mut expected = before.clone();
        expected["name"] = json!("Ρομπότ");
        expected["updatedAt"] = json!(app.in_seconds(0));
        assert_eq!(renamed, expected);
        let disabled = update(&administrator, &client.id, json!({ "enabled": false }))
            .await
            .field("updateClient");
        expected["enabled"] = json!(false);
        assert_eq!(disabled, expected);
    }

    async fn disabled_client_is_refused_until_enabled(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(robot.status().await, 200);
        update(&administrator, robot.id(), json!({ "enabled": false })).await.data();
        assert_eq!(robot.status().await, 401);
        assert!(!app.works(&robot.credentials).await);
        update(&administrator, robot.id(), json!({ "enabled": true })).await.data();
        assert_eq!(robot.status().await, 401, "revoked tokens stay revoked");
        let robot = robot.again().await;
        assert_eq!(robot.status().await, 200);
        for unchanged in [json!({ "enabled": true }), json!({ "name": "renamed" })] {
            update(&administrator, robot.id(), unchanged).await.data();
            assert_eq!(robot.status().await, 200, "an update without effect revokes nothing");
        }
    }

    async fn deleted_client_is_unknown(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(robot.status().await, 200);
        let deleted = delete(&administrator, robot.id()).await.field("deleteClient");
        assert_eq!(deleted, json!({ "id": robot.id(), "name": "TenantAuditor" }));
        assert_eq!(robot.status().await, 401);
        assert!(!app.works(&robot.credentials).await);
        assert_eq!(delete(&administrator, robot.id()).await.code(), "NOT_FOUND");
        let document = "query($id: ID!) { client(id: $id) { id } }";
        assert_eq!(
            administrator.ask(document, json!({ "id": robot.id() })).await.code(),
            "NOT_FOUND"
        );
    }

    async fn owner_must_be_a_tenant_open_to_the_caller(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let document = "mutation($owner: ID!) { createClient(name: \"robot\", input: { \
            ownerTenantID: $owner }) { client { tenantID ownerTenantID } } }";
        let owned = administrator
            .ask(document, json!({ "owner": app.world.south }))
            .await
            .field("createClient");
        assert_eq!(
            owned["client"],
            json!({ "tenantID": app.world.organization, "ownerTenantID": app.world.south })
        );
        for foreign in [app.world.stranger, app.world.partner] {
            assert_eq!(
                administrator.ask(document, json!({ "owner": foreign })).await.code(),
                "FORBIDDEN"
            );
        }
    }
}
