//! Disabling a tenant disables all tenants below it.

use serde_json::json;
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases};

async fn enable(caller: &Caller, tenant: TenantId, enabled: bool) -> Answer {
    let document = "mutation($id: ID!, $enabled: Boolean!) { updateTenant(tenantID: $id, \
        tenantUpdate: { enabled: $enabled }) { enabled } }";
    caller.ask(document, json!({ "id": tenant, "enabled": enabled })).await
}

both_databases! {
    async fn disabled_tenant_disables_all_tenants_below(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let at = app.administrator(app.world.organization).await;
        let below = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!((at.status().await, below.status().await), (200, 200));
        enable(&root, app.world.organization, false).await.data();

        assert_eq!(
            (at.status().await, below.status().await),
            (401, 401),
            "valid tokens are refused"
        );
        assert!(
            !app.works(&at.credentials).await && !app.works(&below.credentials).await,
            "no new tokens are issued"
        );
        for tenant in [app.world.organization, app.world.north, app.world.south] {
            assert_eq!(root.within(tenant).status().await, 403);
        }
        assert_eq!(root.status().await, 200);

        enable(&root, app.world.organization, true).await.data();
        assert_eq!((at.status().await, below.status().await), (200, 200));
        assert!(app.works(&below.credentials).await);
        assert_eq!(root.within(app.world.north).status().await, 200);
    }

    async fn clients_of_disabled_tenant_are_hidden(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let below = app.credentials(app.world.north, Role::Auditor).await;
        enable(&root, app.world.organization, false).await.data();
        for field in [
            "rotateClientSecret(id: $id) { clientSecret }",
            "updateClient(id: $id, input: { name: \"x\" }) { id }",
            "deleteClient(id: $id) { id }",
        ] {
            assert_eq!(
                root.ask(&format!("mutation($id: ID!) {{ {field} }}"), json!({ "id": below.id }))
                    .await
                    .code(),
                "NOT_FOUND"
            );
        }
        let search = root
            .ask("{ clientsSearch { totalUnfilteredCount } clients { tenantID } }", json!({}))
            .await
            .data();
        assert_eq!(
            search,
            json!({
                "clientsSearch": { "totalUnfilteredCount": 1 },
                "clients": [{ "tenantID": app.world.partner }],
            })
        );
    }

    async fn disabled_tenant_gets_no_children(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let robot = app.credentials(app.world.partner, Role::Auditor).await;
        enable(&root, app.world.organization, false).await.data();
        let create = "mutation($id: ID!) { createTenant(newTenant: { name: \"x\", parentTenantID: \
            $id }) { id } }";
        assert_eq!(root.ask(create, json!({ "id": app.world.north })).await.code(), "NOT_FOUND");
        let append = "mutation($id: ID!, $tenant: ID!) { appendClientRoles(id: $id, roles: [{ \
            tenantID: $tenant, roleID: \"ace1cae4-59fd-4fd1-9500-40077dc529a7\" }]) { id } }";
        assert_eq!(
            root.ask(append, json!({ "id": robot.id, "tenant": app.world.north })).await.code(),
            "FORBIDDEN"
        );
        let owner = "mutation($tenant: ID!) { createClient(name: \"x\", input: { ownerTenantID: \
            $tenant }) { clientSecret } }";
        assert_eq!(root.ask(owner, json!({ "tenant": app.world.north })).await.code(), "FORBIDDEN");
    }

    async fn caller_cannot_disable_the_tenant_in_context(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        assert_eq!(enable(&root, app.world.partner, false).await.code(), "CONFLICT");
        assert_eq!(
            enable(&root.within(app.world.north), app.world.north, false).await.code(),
            "CONFLICT"
        );
        assert_eq!(
            enable(&root.within(app.world.organization), app.world.north, false)
                .await
                .field("updateTenant"),
            json!({ "enabled": false })
        );
    }

    async fn disabled_tenant_is_visible_to_callers_who_may_enable_it(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let auditor = app.caller(app.world.partner, Role::Auditor).await;
        enable(&root, app.world.north, false).await.data();
        let document = "query($id: ID!) { tenant(id: $id) { enabled effectiveRoles { via } } }";
        let seen = root.ask(document, json!({ "id": app.world.north })).await.field("tenant");
        assert_eq!(seen, json!({ "enabled": false, "effectiveRoles": [] }));
        assert_eq!(
            auditor.ask(document, json!({ "id": app.world.north })).await.code(),
            "NOT_FOUND"
        );
        let closed = "{ tenants(tenantsQuery: { enabled: false }) { totalCount } }";
        assert_eq!(root.ask(closed, json!({})).await.field("tenants"), json!({ "totalCount": 1 }));
        assert_eq!(
            auditor.ask(closed, json!({})).await.field("tenants"),
            json!({ "totalCount": 0 })
        );
    }

    async fn disabled_child_stays_disabled_when_its_parent_is_enabled(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let below = app.caller(app.world.north, Role::Auditor).await;
        enable(&root, app.world.north, false).await.data();
        enable(&root, app.world.organization, false).await.data();
        enable(&root, app.world.organization, true).await.data();
        assert_eq!(below.status().await, 401);
        enable(&root, app.world.north, true).await.data();
        assert_eq!(below.status().await, 200);
    }

    async fn role_assigned_in_disabled_tenant_grants_nothing(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let robot = app.caller(app.world.partner, Role::Auditor).await;
        let append = "mutation($id: ID!, $tenant: ID!) { appendClientRoles(id: $id, roles: [{ \
            tenantID: $tenant, roleID: \"ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068\" }]) { id } }";
        root.ask(append, json!({ "id": robot.id(), "tenant": app.world.organization }))
            .await
            .data();
        let create = "mutation { createTenant(newTenant: { name: \"x\" }) { id } }";
        robot.within(app.world.north).ask(create, json!({})).await.data();
        enable(&root, app.world.organization, false).await.data();
        assert_eq!(robot.within(app.world.north).status().await, 403);
        assert_eq!(robot.status().await, 200);
    }
}
