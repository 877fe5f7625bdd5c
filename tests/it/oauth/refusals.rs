//! Reasons of refused authentications, which the audit log has and the caller does not see.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::asking::{INTROSPECT, REVOKE, ask_token, form, part, reasons, revoke};
use crate::support::{Caller, Credentials, TestApp, both_databases, eventually};

async fn newest_of(administrator: &Caller) -> Value {
    let document = "{ auditLog(first: 1) { nodes { actor operation code subject tenantID } } }";
    administrator.ask(document, json!({})).await.field("auditLog")["nodes"][0].clone()
}

both_databases! {
    async fn each_failure_is_recorded_for_the_clients_tenant_or_the_root(app: TestApp) {
        let top = app.administrator(app.world.top).await;
        let north = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let other = app.credentials(app.world.north, Role::Auditor).await;
        let rotated = north.rotate(&robot, 60).await;
        app.advance(60);
        let named = |client_id: &str, secret: &str| Credentials {
            id: String::new(),
            client_id: client_id.to_owned(),
            secret: secret.to_owned(),
        };
        for (credentials, reason) in [
            (named(&robot.client_id, &other.secret), "wrong_secret"),
            (robot.clone(), "secret_retired"),
            (named("nobody\u{1}", &other.secret), "unknown_client"),
            (named(&robot.client_id, "hunter2"), "malformed_secret"),
        ] {
            assert!(!app.works(&credentials).await);
            eventually(10, reason, async || {
                let newest = reasons(&top, "token").await.into_iter().next()?;
                (newest.1 == json!(reason)).then_some(newest.0)
            })
            .await;
        }
        let seen = reasons(&north, "token").await;
        let expected = [
            (robot.id.clone(), json!("secret_retired")),
            (robot.id.clone(), json!("wrong_secret")),
        ];
        assert_eq!(seen, expected, "unknown clients are recorded for the root only");
        let actors: Vec<_> =
            reasons(&top, "token").await.into_iter().map(|(actor, _)| actor).collect();
        assert!(actors.contains(&"nobody\u{fffd}".to_owned()), "{actors:?}");
        assert!(app.works(&rotated).await);
    }

    async fn denial_to_authenticated_client_is_recorded(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let south = app.world.south.to_string();
        for (parameters, code, subject) in [
            ([("tenant", &*south)], "invalid_target", json!(south)),
            ([("tenant", "none")], "invalid_target", Value::Null),
            ([("scope", "clients:manage")], "invalid_scope", Value::Null),
        ] {
            let refused = ask_token(&app, &robot, &parameters).await;
            assert_eq!(refused.body["error"], code);
            assert_eq!(
                newest_of(&north).await,
                json!({
                    "actor": robot.id,
                    "operation": "token",
                    "code": code,
                    "subject": subject,
                    "tenantID": app.world.north,
                })
            );
        }
        assert_eq!(revoke(&app, &robot, &north.token).await, 400);
        assert_eq!(
            newest_of(&north).await,
            json!({
                "actor": robot.id,
                "operation": "revoke",
                "code": "invalid_grant",
                "subject": part(&north.token, 1)["jti"],
                "tenantID": app.world.north,
            })
        );
    }

    async fn denials_are_recorded_no_faster_than_the_rate_limit(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let node = app
            .another_node_with(|config| {
                config.rate_limit.client_per_second = 1;
                config.rate_limit.client_burst = 3;
            })
            .await;
        for _ in 0..20 {
            assert_eq!(
                ask_token(&node, &robot, &[("tenant", "none")]).await.body["error"],
                "invalid_target"
            );
        }
        let document = "{ auditLog(operation: \"token\") { nodes { id } } }";
        let kept = north.ask(document, json!({})).await.field("auditLog")["nodes"]
            .as_array()
            .unwrap()
            .len();
        assert!((3..20).contains(&kept), "{kept}");
    }

    async fn every_endpoint_is_named_in_its_audit_record(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let other = app.credentials(app.world.north, Role::Auditor).await;
        let wrong = Credentials { secret: other.secret, ..robot };
        for (path, operation) in [(INTROSPECT, "introspect"), (REVOKE, "revoke")] {
            let request =
                form(&app, path, &[("token", "x")]).header("authorization", wrong.basic());
            assert_eq!(app.send(request).await.status, 401);
            eventually(10, operation, async || {
                (reasons(&north, operation).await == [(wrong.id.clone(), json!("wrong_secret"))])
                    .then_some(())
            })
            .await;
        }
    }
}
