//! No caller gains authority through a client that has more.

use serde_json::json;
use tenant_gateway::roles::Role;

use crate::support::{Caller, Credentials, TestApp, both_databases};

/// Every mutation that would let a caller act as a client, or end it.
const TAKEOVERS: &[&str] = &[
    "rotateClientSecret(id: $id) { clientSecret }",
    "rotateClientSecret(id: $id, gracePeriodSeconds: 600) { clientSecret }",
    "forceRotateClientSecret(id: $id) { clientSecret }",
    "retireClientSecret(id: $id, secretID: $id) { id }",
    "updateClient(id: $id, input: { enabled: false }) { id }",
    "updateClient(id: $id, input: { name: \"weak\" }) { id }",
    "deleteClient(id: $id) { id }",
];

async fn is_out_of_reach(app: &TestApp, caller: &Caller, strong: &Credentials) {
    for field in TAKEOVERS {
        let answer = caller
            .ask(&format!("mutation($id: ID!) {{ {field} }}"), json!({ "id": strong.id }))
            .await;
        assert_eq!(answer.code(), "FORBIDDEN", "{field}");
    }
    assert!(app.works(strong).await);
}

both_databases! {
    async fn client_with_more_authority_cannot_be_changed(app: TestApp) {
        let analyst = app.caller(app.world.north, Role::Analyst).await;
        let strong = app.credentials(app.world.north, Role::Administrator).await;
        is_out_of_reach(&app, &analyst, &strong).await;
        let take =
            "mutation($id: ID!, $role: ID!) { removeClientRoles(id: $id, roles: [$role]) { id } }";
        let role = Role::Administrator.id().to_string();
        assert_eq!(
            analyst.ask(take, json!({ "id": strong.id, "role": role })).await.code(),
            "FORBIDDEN"
        );
    }

    async fn client_with_more_authority_in_another_tenant_cannot_be_changed(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let above = app.administrator(app.world.organization).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let append = "mutation($id: ID!, $tenant: ID!, $role: ID!) { appendClientRoles(id: $id, \
            roles: [{ tenantID: $tenant, roleID: $role }]) { id } }";
        let grant = json!({
            "id": robot.id,
            "tenant": app.world.south,
            "role": Role::Auditor.id().to_string(),
        });
        above.ask(append, grant).await.data();
        is_out_of_reach(&app, &north, &robot).await;
    }

    async fn client_with_equal_authority_can_be_changed(app: TestApp) {
        let analyst = app.caller(app.world.north, Role::Analyst).await;
        let equal = app.credentials(app.world.north, Role::Analyst).await;
        let new = analyst.rotate(&equal, 0).await;
        assert!(app.works(&new).await);
        analyst
            .ask("mutation($id: ID!) { deleteClient(id: $id) { id } }", json!({ "id": equal.id }))
            .await
            .data();
    }

    async fn expired_role_protects_no_client(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let analyst = app.caller(app.world.north, Role::Analyst).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let append = "mutation($id: ID!, $end: String!, $role: ID!) { appendClientRoles(id: $id, \
            roles: [{ roleID: $role, expiresAt: $end }]) { id } }";
        let grant = json!({
            "id": robot.id,
            "end": app.in_seconds(60),
            "role": Role::Administrator.id().to_string(),
        });
        administrator.ask(append, grant).await.data();
        is_out_of_reach(&app, &analyst, &robot).await;
        app.advance(60);
        assert!(app.works(&analyst.rotate(&robot, 0).await).await);
    }
}
