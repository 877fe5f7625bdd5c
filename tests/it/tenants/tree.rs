//! Creating and changing tenants, and roles that reach descendants.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases};

const TENANT: &str = "{ id name parentTenantID partnerTenantID organizationTenantID isPartner \
    isOrganization enabled maxSecretAge createdAt updatedAt }";

async fn create(caller: &Caller, new: Value) -> Answer {
    let document =
        format!("mutation($new: TenantCreateInput!) {{ createTenant(newTenant: $new) {TENANT} }}");
    caller.ask(&document, json!({ "new": new })).await
}

async fn update(caller: &Caller, id: impl ToString, change: Value) -> Answer {
    let document = format!(
        "mutation($id: ID!, $change: TenantUpdateInput!) {{ updateTenant(tenantID: $id, \
        tenantUpdate: $change) {TENANT} }}"
    );
    caller.ask(&document, json!({ "id": id.to_string(), "change": change })).await
}

async fn tenant(caller: &Caller, id: impl ToString, fields: &str) -> Value {
    caller
        .ask(
            &format!("query($id: ID!) {{ tenant(id: $id) {fields} }}"),
            json!({ "id": id.to_string() }),
        )
        .await
        .field("tenant")
}

both_databases! {
    async fn tenant_shows_its_place_in_the_tree(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let place =
            "{ parentTenantID partnerTenantID organizationTenantID isPartner isOrganization }";
        let expected = |parent, organization: Value, is: (bool, bool)| {
            json!({
                "parentTenantID": parent,
                "partnerTenantID": app.world.partner,
                "organizationTenantID": organization,
                "isPartner": is.0,
                "isOrganization": is.1,
            })
        };
        assert_eq!(
            tenant(&root, app.world.partner, place).await,
            expected(app.world.top, Value::Null, (true, false))
        );
        let organization = json!(app.world.organization);
        assert_eq!(
            tenant(&root, app.world.organization, place).await,
            expected(app.world.partner, organization.clone(), (false, true))
        );
        assert_eq!(
            tenant(&root, app.world.north, place).await,
            expected(app.world.organization, organization, (false, false))
        );
    }

    async fn new_tenant_is_child_of_its_parent(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let new = create(
            &root,
            json!({
                "name": " West ",
                "parentTenantID": app.world.organization,
                "isPartner": true,
            }),
        )
        .await;
        let new = new.field("createTenant");
        let expected = json!({
            "id": new["id"],
            "name": "West",
            "parentTenantID": app.world.organization,
            "partnerTenantID": new["id"],
            "organizationTenantID": app.world.organization,
            "isPartner": true,
            "isOrganization": false,
            "enabled": true,
            "maxSecretAge": null,
            "createdAt": app.in_seconds(0),
            "updatedAt": app.in_seconds(0),
        });
        assert_eq!(new, expected);
        let here = create(&root.within(app.world.north), json!({ "name": "Branch" }))
            .await
            .field("createTenant");
        assert_eq!(
            here["parentTenantID"],
            json!(app.world.north),
            "without a parent it is the tenant in context"
        );
        assert_eq!(root.within(here["id"].as_str().unwrap()).status().await, 200);
    }

    async fn parents_outside_the_context_are_unknown(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        for parent in [app.world.south, app.world.organization, app.world.stranger] {
            assert_eq!(
                create(&north, json!({ "name": "x", "parentTenantID": parent })).await.code(),
                "NOT_FOUND"
            );
        }
        for id in [app.world.south, app.world.organization, app.world.stranger] {
            assert_eq!(update(&north, id, json!({ "name": "x" })).await.code(), "NOT_FOUND");
        }
    }

    async fn tenant_tree_depth_is_limited(app: TestApp) {
        let root = app.administrator(app.world.top).await;
        let mut parent = app.world.top.to_string();
        for depth in 2..=64 {
            let new = create(
                &root,
                json!({ "name": format!("level {depth}"), "parentTenantID": parent }),
            )
            .await;
            parent = new.field("createTenant")["id"].as_str().unwrap().to_owned();
        }
        assert_eq!(
            create(&root, json!({ "name": "too deep", "parentTenantID": parent })).await.code(),
            "BAD_USER_INPUT"
        );
        assert_eq!(root.within(&parent).status().await, 200);
        let via = tenant(&root, &parent, "{ effectiveRoles { via } }").await;
        assert_eq!(via, json!({ "effectiveRoles": [{ "via": app.world.top }] }));
    }

    async fn update_keeps_fields_that_it_omits(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let mut expected = tenant(&root, app.world.north, TENANT).await;
        app.advance(1);
        let renamed = update(&root, app.world.north, json!({ "name": " Norden " }))
            .await
            .field("updateTenant");
        (expected["name"], expected["updatedAt"]) = (json!("Norden"), json!(app.in_seconds(0)));
        assert_eq!(renamed, expected);
        expected["maxSecretAge"] = json!(86_400);
        assert_eq!(
            update(&root, app.world.north, json!({ "maxSecretAge": 86_400 }))
                .await
                .field("updateTenant"),
            expected
        );
        assert_eq!(update(&root, app.world.north, json!({})).await.field("updateTenant"), expected);
        expected["maxSecretAge"] = Value::Null;
        assert_eq!(
            update(&root, app.world.north, json!({ "maxSecretAge": null }))
                .await
                .field("updateTenant"),
            expected
        );
    }

    async fn effective_roles_name_their_origin(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let robot = app.caller(app.world.organization, Role::Auditor).await;
        let append = "mutation($id: ID!, $roles: [ClientRoleAssignmentInput!]!) { \
            appendClientRoles(id: $id, roles: $roles) { id } }";
        let roles = json!([
            { "tenantID": app.world.north, "roleID": Role::Responder.id().to_string() },
            {
                "tenantID": app.world.south,
                "roleID": Role::Analyst.id().to_string(),
                "expiresAt": app.in_seconds(60),
            },
        ]);
        root.ask(append, json!({ "id": robot.id(), "roles": roles })).await.data();
        let fields = "{ effectiveRoles { via role { name } } }";
        let held = |tenant: &dyn ToString, role: &str| {
            json!({
                "via": tenant.to_string(),
                "role": { "name": role },
            })
        };
        let auditor = held(&app.world.organization, "TenantAuditor");
        let of = async |id| tenant(&robot, id, fields).await["effectiveRoles"].clone();
        assert_eq!(of(app.world.organization).await, json!([auditor]));
        assert_eq!(
            of(app.world.north).await,
            json!([held(&app.world.north, "TenantResponder"), auditor])
        );
        assert_eq!(
            of(app.world.south).await,
            json!([held(&app.world.south, "TenantAnalyst"), auditor])
        );
        app.advance(60);
        assert_eq!(of(app.world.south).await, json!([auditor]));
    }

    async fn subject_and_context_tell_who_and_where(app: TestApp) {
        let robot = app.caller(app.world.organization, Role::Auditor).await;
        let document = "{
            currentSubject { id name displayName identity { __typename ... on Client { id tenantID }
            } }
            requestTenantContext { partnerTenantID organizationTenantID tenantIDs }
        }";
        let told = robot.within(app.world.north).ask(document, json!({})).await.data();
        let expected = json!({
            "currentSubject": {
                "id": robot.id(),
                "name": "TenantAuditor",
                "displayName": "TenantAuditor",
                "identity": {
                    "__typename": "Client",
                    "id": robot.id(),
                    "tenantID": app.world.organization,
                },
            },
            "requestTenantContext": {
                "partnerTenantID": app.world.partner,
                "organizationTenantID": app.world.organization,
                "tenantIDs": [app.world.north],
            },
        });
        assert_eq!(told, expected);
    }
}
