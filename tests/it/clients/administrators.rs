//! No tenant loses its last administrator.

use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases};

/// Every mutation after which a client is no longer an administrator, as the administrator itself
/// would send it.
const REMOVALS: &[&str] = &[
    "deleteClient(id: $id) { id }",
    "updateClient(id: $id, input: { enabled: false }) { id }",
    "removeClientRoles(id: $id, roles: [$role]) { id }",
    "removeClientRoles(id: $id, roles: [$assignment]) { id }",
    "appendClientRoles(id: $id, roles: [{ roleID: $role, expiresAt: $soon }]) { id }",
];

const ROUNDS: usize = 40;

async fn remove(
    app: &TestApp,
    by: &Caller,
    of: &Caller,
    removal: &str,
    tenant: TenantId,
) -> Answer {
    let by = by.within(tenant);
    let held = by
        .ask(
            "query($id: ID!) { client(id: $id) { roleAssignments { id } } }",
            json!({ "id": of.id() }),
        )
        .await;
    ask(app, &by, of, removal, held.field("client")["roleAssignments"][0]["id"].clone()).await
}

async fn ask(app: &TestApp, by: &Caller, of: &Caller, removal: &str, assignment: Value) -> Answer {
    let document =
        format!("mutation($id: ID!, $role: ID!, $assignment: ID!, $soon: String) {{ {removal} }}");
    let document = ["$role", "$assignment", "$soon"].iter().fold(document, |document, variable| {
        // An unused variable would be refused.
        if removal.contains(variable) {
            return document;
        }
        let kind = if *variable == "$soon" { "String" } else { "ID!" };
        document.replace(&format!(", {variable}: {kind}"), "")
    });
    let role = Role::Administrator.id();
    let variables =
        json!({ "id": of.id(), "role": role, "assignment": assignment, "soon": app.in_seconds(1) });
    by.ask(&document, variables).await
}

async fn update_tenant(by: &Caller, tenant: TenantId, update: Value) -> Answer {
    let document = "mutation($id: ID!, $update: TenantUpdateInput!) { updateTenant(tenantID: $id, \
        tenantUpdate: $update) { id } }";
    by.ask(document, json!({ "id": tenant, "update": update })).await
}

both_databases! {
    async fn last_administrator_cannot_remove_itself(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        app.caller(app.world.north, Role::Analyst).await;
        for removal in REMOVALS {
            let answer =
                remove(&app, &administrator, &administrator, removal, app.world.north).await;
            assert_eq!(answer.code(), "CONFLICT", "{removal}");
            assert!(
                administrator.status().await == 200 && app.works(&administrator.credentials).await,
                "{removal}"
            );
        }
    }

    async fn administrator_can_remove_itself_where_another_is_left(app: TestApp) {
        for removal in REMOVALS {
            let tenant = app.operator.tenant(app.world.organization, "Customer", false).await;
            let leaving = app.administrator(tenant).await;
            let _staying = app.administrator(tenant).await;
            remove(&app, &leaving, &leaving, removal, tenant).await.data();
        }
        app.administrator(app.world.partner).await;
        let leaving = app.administrator(app.world.north).await;
        remove(&app, &leaving, &leaving, REMOVALS[0], app.world.north).await.data();
    }

    async fn only_administrator_who_can_take_over_counts_as_another(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let another = app.administrator(app.world.north).await;
        let append = "mutation($id: ID!, $role: ID!, $end: String) {
            appendClientRoles(id: $id, roles: [{ roleID: $role, expiresAt: $end }]) { id } }";
        let until = |end: Value| {
            json!({
                "id": another.id(),
                "role": Role::Administrator.id(),
                "end": end,
            })
        };
        let delete = async || {
            remove(&app, &administrator, &administrator, REMOVALS[0], app.world.north).await
        };

        administrator.ask(append, until(json!(app.in_seconds(3600)))).await.data();
        assert_eq!(delete().await.code(), "CONFLICT", "one whose role ends");
        administrator.ask(append, until(Value::Null)).await.data();

        let enable = "mutation($id: ID!, $enabled: Boolean!) { updateClient(id: $id, input: { \
            enabled: $enabled }) { id } }";
        administrator.ask(enable, json!({ "id": another.id(), "enabled": false })).await.data();
        assert_eq!(delete().await.code(), "CONFLICT", "one that is disabled");
        administrator.ask(enable, json!({ "id": another.id(), "enabled": true })).await.data();

        app.advance(120);
        administrator.rotate(&administrator.credentials, 0).await;
        update_tenant(&administrator, app.world.north, json!({ "maxSecretAge": 60 })).await.data();
        assert!(!app.works(&another.credentials).await);
        assert_eq!(delete().await.code(), "CONFLICT", "one without a secret that works");
        administrator.rotate(&another.credentials, 0).await;
        delete().await.data();
    }

    async fn last_administrator_cannot_lock_itself_out_through_its_tenant(app: TestApp) {
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let append = "mutation($id: ID!, $tenant: ID!, $role: ID!) {
            appendClientRoles(id: $id, roles: [{ tenantID: $tenant, roleID: $role }]) { id } }";
        let first = app.administrator(app.world.partner).await;
        let role = Role::Administrator.id();
        first
            .ask(append, json!({ "id": robot.id, "tenant": app.world.partner, "role": role }))
            .await
            .data();
        let administrator = app.log_in(robot.clone()).await.within(app.world.partner);
        remove(&app, &first, &first, REMOVALS[0], app.world.partner).await.data();

        // Its own tenant is below the one that it administers.
        let closed =
            update_tenant(&administrator, app.world.organization, json!({ "enabled": false }))
                .await;
        assert_eq!(closed.code(), "CONFLICT");
        app.advance(120);
        let aged =
            update_tenant(&administrator, app.world.organization, json!({ "maxSecretAge": 60 }))
                .await;
        assert_eq!(aged.code(), "CONFLICT");
        assert!(app.works(&robot).await);

        app.operator.client(app.world.partner, "another", &[Role::Administrator]).await;
        update_tenant(&administrator, app.world.organization, json!({ "enabled": false }))
            .await
            .data();
        assert!(!app.works(&robot).await);
    }

    async fn operator_can_remove_the_last_administrator(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let scope = app.operator.scope(app.world.north);
        app.operator.clients.delete(&scope, administrator.id()).await.unwrap();
    }

    async fn two_administrators_never_remove_each_other(app: TestApp) {
        let another_node = app.another_node().await;
        for round in 0..ROUNDS {
            let tenant = app.operator.tenant(app.world.organization, "Customer", false).await;
            let one = app.administrator(tenant).await;
            let two = app.administrator(tenant).await.at(&another_node);
            assert!(one.status().await == 200 && two.status().await == 200);
            let removal = REMOVALS[round % 3];
            let (first, second) = tokio::join!(
                ask(&app, &one, &two, removal, Value::Null),
                ask(&app, &two, &one, removal, Value::Null)
            );
            let succeeded = [&first, &second]
                .iter()
                .filter(|answer| answer.body.get("errors").is_none())
                .count();
            assert_eq!(succeeded, 1, "round {round}: {} {}", first.body, second.body);
            for refused in
                [&first, &second].iter().filter(|answer| answer.body.get("errors").is_some())
            {
                // Slightly later, the second caller finds itself already removed.
                let codes = ["CONFLICT", "UNAUTHENTICATED", "FORBIDDEN"];
                assert!(codes.contains(&refused.code()), "round {round}: {}", refused.body);
            }
        }
    }
}
