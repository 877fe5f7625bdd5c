//! What the caller is not told, and the audit log is.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::asking::{INTROSPECT, REVOKE, form, reasons};
use crate::support::{Credentials, TestApp, both_databases, eventually};

both_databases! {
    async fn each_failure_has_its_reason_in_the_log_of_the_client_or_of_the_top(app: TestApp) {
        let (top, north) = (app.administrator(app.world.top).await, app.administrator(app.world.north).await);
        let (robot, other) = (app.credentials(app.world.north, Role::Auditor).await, app.credentials(app.world.north, Role::Auditor).await);
        let rotated = north.rotate(&robot, 60).await;
        app.advance(60);
        let named = |client_id: &str, secret: &str| Credentials { id: String::new(), client_id: client_id.to_owned(), secret: secret.to_owned() };
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
        let expected = [(robot.id.clone(), json!("secret_retired")), (robot.id.clone(), json!("wrong_secret"))];
        assert_eq!(seen, expected, "strangers are the affair of those who run the gateway");
        let actors: Vec<_> = reasons(&top, "token").await.into_iter().map(|(actor, _)| actor).collect();
        assert!(actors.contains(&"nobody\u{fffd}".to_owned()), "{actors:?}");
        assert!(app.works(&rotated).await);
    }

    async fn every_endpoint_is_named(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let (robot, other) = (app.credentials(app.world.north, Role::Auditor).await, app.credentials(app.world.north, Role::Auditor).await);
        let wrong = Credentials { secret: other.secret, ..robot };
        for (path, operation) in [(INTROSPECT, "introspect"), (REVOKE, "revoke")] {
            let request = form(&app, path, &[("token", "x")]).header("authorization", wrong.basic());
            assert_eq!(app.send(request).await.status, 401);
            eventually(10, operation, async || {
                (reasons(&north, operation).await == [(wrong.id.clone(), json!("wrong_secret"))]).then_some(())
            })
            .await;
        }
    }
}
