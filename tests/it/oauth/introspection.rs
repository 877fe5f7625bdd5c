//! Token introspection (RFC 7662): which callers learn what about which tokens.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::asking::{INTROSPECT, form, narrowed, part, revoke, told};
use crate::support::{Caller, TestApp, both_databases};

fn inactive() -> Value {
    json!({ "active": false })
}

async fn change(administrator: &Caller, field: &str, id: &str) {
    administrator
        .ask(&format!("mutation($id: ID!) {{ {field} {{ __typename }} }}"), json!({ "id": id }))
        .await
        .data();
}

both_databases! {
    async fn introspection_describes_active_token_in_full(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let claims = part(&robot.token, 1);
        let expected = json!({
            "active": true,
            "scope": "graphql",
            "client_id": robot.credentials.client_id,
            "token_type": "Bearer",
            "exp": claims["exp"],
            "iat": claims["iat"],
            "sub": robot.id(),
            "aud": "tenant-gateway",
            "iss": app.url,
            "jti": claims["jti"],
            "tenant_id": app.world.north,
        });
        assert_eq!(told(&app, &robot.credentials, &robot.token).await, expected);
        let hinted = form(
            &app,
            INTROSPECT,
            &[("token", &robot.token), ("token_type_hint", "refresh_token")],
        );
        let answer = app.send(hinted.header("authorization", robot.credentials.basic())).await;
        assert_eq!(answer.body, expected, "a wrong token_type_hint is ignored");
    }

    async fn introspection_covers_own_tenant_and_descendants_only(app: TestApp) {
        let partner = app.caller(app.world.partner, Role::Administrator).await;
        let north = app.caller(app.world.north, Role::Auditor).await;
        let south = app.caller(app.world.south, Role::Auditor).await;
        let neighbour = app.credentials(app.world.north, Role::Auditor).await;
        let stranger = app.credentials(app.world.stranger, Role::Administrator).await;
        assert_eq!(told(&app, &partner.credentials, &north.token).await["active"], true, "below");
        assert_eq!(
            told(&app, &neighbour, &north.token).await["active"],
            true,
            "a client of the same tenant"
        );
        for (by, token, what) in [
            (&neighbour, &partner.token, "above"),
            (&south.credentials, &north.token, "in a tenant beside"),
            (&stranger, &north.token, "elsewhere"),
        ] {
            assert_eq!(told(&app, by, token).await, inactive(), "{what}");
        }
        // Issued for the tenant of the introspecting client.
        let narrow = narrowed(&partner, &[("tenant", &app.world.north.to_string())]).await;
        let there = told(&app, &neighbour, &narrow.token).await;
        assert_eq!((&there["active"], &there["tenant_only"]), (&json!(true), &json!(true)));
        assert_eq!(there["tenant_id"], json!(app.world.north));
        assert_eq!(told(&app, &south.credentials, &narrow.token).await, inactive());
        assert_eq!(
            told(&app, &partner.credentials, &narrow.token).await["active"],
            true,
            "its own"
        );
    }

    async fn invalid_token_is_only_reported_inactive(app: TestApp) {
        let asker = app.credentials(app.world.organization, Role::Auditor).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let (signed, signature) = robot.token.rsplit_once('.').unwrap();
        let altered = format!("{signed}.{}", signature.chars().rev().collect::<String>());
        let unsigned = format!(
            "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.",
            signed.split('.').nth(1).unwrap()
        );
        for token in [
            "rubbish",
            "",
            " ",
            &altered,
            &unsigned,
            &robot.credentials.secret,
            &"x".repeat(10_000),
        ] {
            if token.is_empty() {
                continue;
            }
            assert_eq!(told(&app, &asker, token).await, inactive());
        }
        app.advance(3600);
        assert_eq!(told(&app, &asker, &robot.token).await, inactive(), "it has ended");
    }

    async fn introspection_sees_changes_of_other_nodes_at_once(app: TestApp) {
        let another = app.another_node().await;
        let administrator = app.administrator(app.world.organization).await;
        for field in [
            "deleteClient(id: $id)",
            "updateClient(id: $id, input: { enabled: false })",
            "forceRotateClientSecret(id: $id)",
        ] {
            let robot = app.caller(app.world.north, Role::Auditor).await;
            assert_eq!(
                told(&another, &administrator.credentials, &robot.token).await["active"],
                true
            );
            change(&administrator, field, robot.id()).await;
            assert_eq!(
                told(&another, &administrator.credentials, &robot.token).await,
                inactive(),
                "{field}"
            );
        }
        let robot = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(told(&another, &administrator.credentials, &robot.token).await["active"], true);
        assert_eq!(revoke(&app, &robot.credentials, &robot.token).await, 200);
        assert_eq!(told(&another, &administrator.credentials, &robot.token).await, inactive());
        let narrow = narrowed(
            &app.caller(app.world.north, Role::Auditor).await,
            &[("tenant", &app.world.north.to_string())],
        )
        .await;
        let role = Role::Auditor.id();
        assert_eq!(told(&another, &administrator.credentials, &narrow.token).await["active"], true);
        change(
            &administrator,
            &format!("removeClientRoles(id: $id, roles: [\"{role}\"])"),
            narrow.id(),
        )
        .await;
        assert_eq!(
            told(&another, &administrator.credentials, &narrow.token).await,
            inactive(),
            "the client has lost its only tenant"
        );
    }

    async fn introspection_does_not_count_as_token_request(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let token = app.token(&robot).await;
        app.advance(60);
        told(&app, &robot, &token).await;
        let seen = administrator
            .client(&robot.id, "{ tokenRequestCount tokenRequestTime secrets { lastUsedAt } }")
            .await;
        assert_eq!(seen["tokenRequestCount"], 1);
        assert_eq!(
            seen["secrets"][0]["lastUsedAt"],
            json!(app.now().to_string()),
            "the use of the secret counts"
        );
        assert_ne!(seen["tokenRequestTime"], seen["secrets"][0]["lastUsedAt"]);
    }
}
