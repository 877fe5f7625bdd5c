//! Token revocation (RFC 7009).

use serde_json::json;
use tenant_gateway::roles::Role;

use super::asking::{REVOKE, form, part, revoke, rows, told};
use crate::support::{TestApp, both_databases};

both_databases! {
    async fn revoked_token_ends_at_once_here_and_within_five_seconds_elsewhere(app: TestApp) {
        let another = app.another_node().await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let elsewhere = robot.at(&another.gateway);
        assert_eq!(
            (robot.status().await, elsewhere.status().await),
            (200, 200),
            "it is cached at both"
        );
        assert_eq!(revoke(&app, &robot.credentials, &robot.token).await, 200);
        assert_eq!(robot.status().await, 401);
        app.advance(5);
        assert_eq!((robot.status().await, elsewhere.status().await), (401, 401));
        assert_eq!(robot.again().await.status().await, 200, "the client gets a new one");
    }

    async fn only_its_own_client_ends_a_token(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let administrator = app.administrator(app.world.organization).await;
        let request = form(&app, REVOKE, &[("token", &robot.token)])
            .header("authorization", administrator.credentials.basic());
        let answer = app.send(request).await;
        assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_grant")));
        assert_eq!(robot.status().await, 200);
    }

    async fn revoking_an_invalid_token_succeeds_without_effect(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        for token in ["rubbish", &robot.credentials.secret, &format!("{}x", robot.token)] {
            assert_eq!(revoke(&app, &robot.credentials, token).await, 200);
        }
        assert_eq!(rows(&app, "revoked_tokens").await, 0);
        for _ in 0..2 {
            assert_eq!(revoke(&app, &robot.credentials, &robot.token).await, 200);
        }
        assert_eq!(rows(&app, "revoked_tokens").await, 1);
    }

    async fn expired_revocations_are_deleted(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        revoke(&app, &robot.credentials, &robot.token).await;
        app.advance(3600);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "revoked_tokens").await, 1, "it is kept a day longer");
        app.advance(24 * 3600 + 1);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "revoked_tokens").await, 0);
        assert_eq!(robot.status().await, 401);
    }

    async fn revocation_is_recorded_once(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        for _ in 0..2 {
            revoke(&app, &robot.credentials, &robot.token).await;
        }
        let log = administrator
            .ask(
                "{ auditLog(operation: \"revoke\") { nodes { actor subject outcome tenantID } } }",
                json!({}),
            )
            .await;
        let jti = part(&robot.token, 1)["jti"].clone();
        let expected = json!([
            {
                "actor": robot.id(),
                "subject": jti,
                "outcome": "SUCCEEDED",
                "tenantID": app.world.north,
            },
        ]);
        assert_eq!(log.field("auditLog")["nodes"], expected);
        assert_eq!(
            told(&app, &administrator.credentials, &robot.token).await,
            json!({ "active": false })
        );
    }
}
