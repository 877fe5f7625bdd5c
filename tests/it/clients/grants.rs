//! Assigning and removing roles: by tenant, with an expiry, never beyond the caller's own.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases};

const ASSIGNMENTS: &str = "{ roles roleAssignments { id tenantID roleID roleName expiresAt } }";

async fn append(caller: &Caller, id: &str, roles: Value) -> Answer {
    let document = format!(
        "mutation($id: ID!, $roles: [ClientRoleAssignmentInput!]!) {{ appendClientRoles(id: $id, \
        roles: $roles) {ASSIGNMENTS} }}"
    );
    caller.ask(&document, json!({ "id": id, "roles": roles })).await
}

async fn remove(caller: &Caller, id: &str, roles: Value) -> Answer {
    let document = format!(
        "mutation($id: ID!, $roles: [ID!]!) {{ removeClientRoles(id: $id, roles: $roles) \
        {ASSIGNMENTS} }}"
    );
    caller.ask(&document, json!({ "id": id, "roles": roles })).await
}

fn id(role: Role) -> String {
    role.id().to_string()
}

/// Role and tenant of each assignment.
fn held(answer: Answer, field: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let client = answer.field(field);
    let assignments = client["roleAssignments"].as_array().unwrap();
    let mut held: Vec<_> =
        assignments.iter().map(|held| (text(&held["roleName"]), text(&held["tenantID"]))).collect();
    held.sort();
    held
}

both_databases! {
    async fn role_reaches_its_tenant_and_all_descendants(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(robot.within(app.world.south).status().await, 403);
        let given = append(
            &administrator,
            robot.id(),
            json!([{ "tenantID": app.world.south, "roleID": id(Role::Auditor) }]),
        )
        .await;
        let auditor = |tenant: &dyn ToString| ("TenantAuditor".to_owned(), tenant.to_string());
        let mut both = vec![auditor(&app.world.north), auditor(&app.world.south)];
        both.sort();
        assert_eq!(held(given, "appendClientRoles"), both);
        assert_eq!(robot.within(app.world.south).status().await, 200);
        assert_eq!(robot.within(app.world.organization).status().await, 403);
        append(&administrator, robot.id(), json!([{ "roleID": id(Role::Auditor) }])).await.data();
        assert_eq!(
            robot.within(app.world.organization).status().await,
            200,
            "without a tenant it is that in \
            context"
        );
    }

    async fn role_ends_at_its_expiry(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let grant = json!([
            {
                "tenantID": app.world.south,
                "roleID": id(Role::Auditor),
                "expiresAt": app.in_seconds(60),
            },
        ]);
        append(&administrator, robot.id(), grant).await.data();
        app.advance(59);
        assert_eq!(robot.within(app.world.south).status().await, 200);
        app.advance(1);
        assert_eq!(robot.within(app.world.south).status().await, 403);
        assert_eq!(robot.status().await, 200);
        let shown = administrator.client(robot.id(), ASSIGNMENTS).await;
        assert_eq!(shown["roles"], id(Role::Auditor));
        assert_eq!(
            shown["roleAssignments"].as_array().unwrap().len(),
            2,
            "an ended role is still shown"
        );
    }

    async fn expired_role_grants_nothing(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        append(
            &administrator,
            robot.id(),
            json!([{ "roleID": id(Role::Analyst), "expiresAt": app.in_seconds(60) }]),
        )
        .await
        .data();
        robot.create("before", &[&id(Role::Auditor)]).await;
        app.advance(60);
        let document = "mutation { createClient(name: \"after\") { clientSecret } }";
        assert_eq!(robot.ask(document, json!({})).await.code(), "FORBIDDEN");
    }

    async fn role_is_held_once_and_its_expiry_can_change(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let before = administrator.client(&robot.id, ASSIGNMENTS).await;
        let again = append(
            &administrator,
            &robot.id,
            json!([{ "roleID": id(Role::Auditor) }, { "role_id": id(Role::Auditor) }]),
        )
        .await;
        assert_eq!(again.field("appendClientRoles"), before);
        let ends = app.in_seconds(60);
        let ended = append(
            &administrator,
            &robot.id,
            json!([{ "roleID": id(Role::Auditor), "expiresAt": ends }]),
        )
        .await;
        let assignment = ended.field("appendClientRoles")["roleAssignments"].clone();
        assert_eq!(
            (assignment.as_array().unwrap().len(), &assignment[0]["expiresAt"]),
            (1, &json!(ends))
        );
    }

    async fn last_moment_of_the_calendar_is_a_valid_end(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Responder).await;
        let role = |ends: &str| json!([{ "roleID": id(Role::Auditor), "expiresAt": ends }]);
        let given = append(&administrator, &robot.id, role("9999-12-31T23:59:59Z")).await;
        let ends: Vec<_> =
            given.field("appendClientRoles")["roleAssignments"].as_array().unwrap().clone();
        assert!(
            ends.iter().any(|held| held["expiresAt"] == "9999-12-31T23:59:59.000Z"),
            "{ends:?}"
        );
        let beyond = append(&administrator, &robot.id, role("9999-12-31T23:59:59-01:00")).await;
        assert_eq!(beyond.code(), "BAD_USER_INPUT");
        let log = r#"{ auditLog(from: "0001-01-01T00:00:00Z", to: "9999-12-31T23:59:59Z") { nodes {
            operation } } }"#;
        assert!(
            !administrator.ask(log, json!({})).await.field("auditLog")["nodes"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    }

    async fn snake_case_twins_of_the_input_do_the_same(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let ends = app.in_seconds(60);
        let grant = json!([
            { "tenant_id": app.world.south, "role_id": id(Role::Responder), "expires_at": ends },
        ]);
        let given = append(&administrator, &robot.id, grant).await.field("appendClientRoles");
        let shown = given["roleAssignments"]
            .as_array()
            .unwrap()
            .iter()
            .find(|held| held["roleName"] == "TenantResponder")
            .unwrap();
        assert_eq!(
            (&shown["tenantID"], &shown["expiresAt"]),
            (&json!(app.world.south), &json!(ends))
        );
        let differing = json!([{ "roleID": id(Role::Auditor), "role_id": id(Role::Analyst) }]);
        assert_eq!(append(&administrator, &robot.id, differing).await.code(), "BAD_USER_INPUT");
    }

    async fn caller_cannot_assign_roles_beyond_its_own(app: TestApp) {
        let analyst = app.caller(app.world.organization, Role::Analyst).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        for role in [Role::Analyst, Role::Responder, Role::Auditor] {
            append(
                &analyst,
                &robot.id,
                json!([{ "tenantID": app.world.south, "roleID": id(role) }]),
            )
            .await
            .data();
        }
        assert_eq!(
            append(&analyst, &robot.id, json!([{ "roleID": id(Role::Administrator) }]))
                .await
                .code(),
            "FORBIDDEN"
        );
        for tenant in [app.world.partner, app.world.stranger] {
            let answer = append(
                &analyst,
                &robot.id,
                json!([{ "tenantID": tenant, "roleID": id(Role::Auditor) }]),
            )
            .await;
            assert_eq!(answer.code(), "FORBIDDEN");
        }
        let document = "mutation($roles: [ID!]) { createClient(name: \"strong\", roles: $roles) { \
            clientSecret } }";
        let roles = json!({ "roles": [id(Role::Auditor), id(Role::Administrator)] });
        assert_eq!(analyst.ask(document, roles).await.code(), "FORBIDDEN");
        let clients =
            analyst.ask("{ clients(name: \"strong\") { id } }", json!({})).await.field("clients");
        assert_eq!(clients, json!([]), "nothing is stored");
    }

    async fn several_roles_are_assigned_atomically(app: TestApp) {
        let analyst = app.caller(app.world.north, Role::Analyst).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let grants =
            json!([{ "roleID": id(Role::Responder) }, { "roleID": id(Role::Administrator) }]);
        assert_eq!(append(&analyst, &robot.id, grants).await.code(), "FORBIDDEN");
        assert_eq!(analyst.client(&robot.id, "{ roles }").await["roles"], id(Role::Auditor));
    }

    async fn role_expires_no_later_than_that_of_its_grantor(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let giver = app.caller(app.world.north, Role::Auditor).await;
        let ends = app.in_seconds(60);
        append(
            &administrator,
            giver.id(),
            json!([{ "roleID": id(Role::Analyst), "expiresAt": ends }]),
        )
        .await
        .data();
        let robot = giver.create("robot", &[&id(Role::Responder)]).await;
        assert_eq!(
            administrator.client(&robot.id, ASSIGNMENTS).await["roleAssignments"][0]["expiresAt"],
            json!(ends)
        );
        let given = append(
            &giver,
            &robot.id,
            json!([{ "roleID": id(Role::Analyst), "expiresAt": app.in_seconds(3600) }]),
        )
        .await;
        assert_eq!(
            given.field("appendClientRoles")["roleAssignments"][1]["expiresAt"],
            json!(ends)
        );
    }

    async fn roles_are_removed_by_role_or_by_assignment(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let both = json!([
            { "tenantID": app.world.south, "roleID": id(Role::Auditor) },
            { "tenantID": app.world.south, "roleID": id(Role::Responder) },
        ]);
        let given = append(&administrator, robot.id(), both).await.field("appendClientRoles");
        let responder = given["roleAssignments"]
            .as_array()
            .unwrap()
            .iter()
            .find(|held| held["roleName"] == "TenantResponder")
            .unwrap();
        let left = remove(&administrator, robot.id(), json!([responder["id"]])).await;
        assert_eq!(held(left, "removeClientRoles").len(), 2);
        assert_eq!(
            held(
                remove(&administrator, robot.id(), json!([id(Role::Auditor)])).await,
                "removeClientRoles"
            ),
            []
        );
        assert_eq!(robot.status().await, 403, "a removed role ends at once");
        remove(&administrator, robot.id(), json!([id(Role::Auditor)])).await.data();
    }

    async fn assignable_roles_can_all_be_assigned(app: TestApp) {
        let names = async |role: Role| {
            let caller = app.caller(app.world.north, role).await;
            let roles = caller
                .ask(
                    "{ authzAssignableRoles { name } \
                }",
                    json!({}),
                )
                .await
                .field("authzAssignableRoles");
            roles
                .as_array()
                .unwrap()
                .iter()
                .map(|role| role["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let weak = ["TenantAnalyst", "TenantResponder", "TenantAuditor"];
        assert_eq!(
            names(Role::Administrator).await,
            [&["TenantAdministrator"][..], &weak].concat()
        );
        assert_eq!(names(Role::Analyst).await, weak);
        assert!(names(Role::Responder).await.is_empty() && names(Role::Auditor).await.is_empty());
    }
}
