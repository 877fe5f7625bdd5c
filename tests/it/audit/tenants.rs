//! The tenant whose log holds a record, and the actor that it names.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::{ask_as, log};
use crate::oauth::asking::narrowed;
use crate::support::{TestApp, both_databases};

both_databases! {
    async fn refused_entry_with_a_narrowed_token_names_the_tenant_of_the_client(app: TestApp) {
        let organization = app.administrator(app.world.organization).await;
        let north = app.world.north.to_string();
        let narrow = narrowed(&organization, &[("tenant", &*north)]).await;
        let body = ask_as(&narrow, "narrow-1", app.world.south, "{ __typename }", json!({})).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let newest = &log(&organization, "first: 1").await[0];
        assert_eq!(
            (&newest["callerRequestID"], &newest["actor"]),
            (&json!("narrow-1"), &json!(narrow.id()))
        );
        let home = json!(app.world.organization);
        assert_eq!((&newest["actingTenantID"], &newest["tenantID"]), (&home, &home));
        assert_eq!(newest["subject"], json!(app.world.south));
    }

    async fn roles_in_another_tenant_are_recorded_there_too(app: TestApp) {
        let organization = app.administrator(app.world.organization).await;
        let south = app.administrator(app.world.south).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let auditor = Role::Auditor.id();
        let seen = async || log(&south, &format!("subject: \"{}\"", robot.id)).await;
        let change = async |field: &str| {
            let document = format!("mutation($id: ID!) {{ {field} {{ id }} }}");
            organization.ask(&document, json!({ "id": robot.id })).await.data();
        };
        change(&format!(
            "appendClientRoles(id: $id, roles: [{{ tenantID: \"{}\", roleID: \"{auditor}\" }}])",
            app.world.south
        ))
        .await;
        let given = seen().await;
        assert_eq!(given.len(), 1, "{given:?}");
        let roles = json!({
            "tenantID": app.world.south,
            "roles": [{ "roleID": auditor, "expiresAt": null }],
        });
        assert_eq!(
            (&given[0]["operation"], &given[0]["before"]),
            (&json!("appendClientRoles"), &Value::Null)
        );
        assert_eq!(
            given[0]["after"], roles,
            "the log of south has no role of other tenants"
        );
        assert_eq!(given[0]["tenantID"], json!(app.world.south));

        change("updateClient(id: $id, input: { name: \"renamed\" })").await;
        assert_eq!(seen().await.len(), 1, "its roles in the south have not changed");
        change(&format!("removeClientRoles(id: $id, roles: [\"{auditor}\"])")).await;
        let taken = &seen().await[0];
        assert_eq!((&taken["operation"], &taken["before"]), (&json!("removeClientRoles"), &roles));
        assert_eq!(taken["after"], Value::Null);
    }

    async fn deleting_a_client_is_recorded_wherever_it_held_roles(app: TestApp) {
        let organization = app.administrator(app.world.organization).await;
        let south = app.administrator(app.world.south).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let given = format!(
            "mutation($id: ID!) {{ appendClientRoles(id: $id, roles: [{{ tenantID: \"{}\", \
            roleID: \"{}\" }}]) {{ id }} }}",
            app.world.south,
            Role::Auditor.id()
        );
        organization.ask(&given, json!({ "id": robot.id })).await.data();
        organization
            .ask("mutation($id: ID!) { deleteClient(id: $id) { id } }", json!({ "id": robot.id }))
            .await
            .data();
        let records = log(&south, &format!("subject: \"{}\"", robot.id)).await;
        let operations: Vec<_> = records.iter().map(|record| record["operation"].clone()).collect();
        assert_eq!(operations, ["deleteClient", "appendClientRoles"]);
        assert_eq!(records[0]["before"]["roles"][0]["roleID"], json!(Role::Auditor.id()));
    }
}
