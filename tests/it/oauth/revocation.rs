//! Token revocation (RFC 7009).

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::asking::{REVOKE, form, part, revoke, rows, told};
use crate::device::program;
use crate::support::browser::enrol;
use crate::support::caller::Gateway;
use crate::support::{TestApp, both_databases, notes};

/// The status of an answer, and its error if it has one: success has no body.
async fn refusal(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    (status, body["error"].as_str().unwrap_or_default().to_owned())
}

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

    async fn token_of_a_person_ends_at_the_request_of_its_program(app: TestApp) {
        let another = app.another_node().await;
        let north = app.world.north;
        let (ana, browser) = enrol(&app, north, Role::Auditor, "ana@north.example").await;
        let codes = program::start(&app, &[]).await;
        program::decide(&browser, &codes, "approve").await;
        let answer = program::poll(&app, &codes).await;
        let token = answer.body["access_token"].as_str().expect("a token").to_owned();
        notes::note(&token);
        let status = async |gateway: &Gateway| {
            let request = gateway.graphql("{ __typename }", &json!({})).bearer_auth(&token);
            gateway.send(request).await.status
        };
        let revoke = async |fields: &[(&str, &str)]| {
            let fields: Vec<_> = [("token", &*token)].iter().chain(fields).copied().collect();
            refusal(form(&app, REVOKE, &fields)).await
        };
        assert_eq!((status(&app).await, status(&another).await), (200, 200));
        let refused = |status: u16, error: &str| (status, error.to_owned());
        assert_eq!(revoke(&[]).await, refused(401, "invalid_client"));
        let other = [("client_id", "another-tool")];
        assert_eq!(revoke(&other).await, refused(400, "invalid_grant"));
        let forged = [("client_id", "tool"), ("client_secret", "a secret of nobody at all")];
        assert_eq!(revoke(&forged).await, refused(401, "invalid_client"));
        assert_eq!(status(&app).await, 200);
        for _ in 0..2 {
            assert_eq!(revoke(&[("client_id", "tool")]).await, refused(200, ""));
        }
        assert_eq!(status(&app).await, 401);
        app.advance(5);
        assert_eq!(status(&another).await, 401);
        assert_eq!(rows(&app, "revoked_tokens").await, 1);
        let administrator = app.administrator(north).await;
        let document = "{ auditLog(operation: \"revoke\") { nodes { actor subject outcome } } }";
        let log = administrator.ask(document, json!({})).await.field("auditLog");
        let jti = part(&token, 1)["jti"].clone();
        let expected = json!([{ "actor": ana.id, "subject": jti, "outcome": "SUCCEEDED" }]);
        assert_eq!(log["nodes"], expected);
        assert_eq!(browser.session().await["signedIn"], json!(true), "the session goes on");
    }

    async fn program_revokes_no_token_of_a_client(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let fields = [("token", &*robot.token), ("client_id", "tool")];
        let refused = refusal(form(&app, REVOKE, &fields)).await;
        assert_eq!(refused, (400, "invalid_grant".to_owned()));
        let rubbish = [("token", "rubbish"), ("client_id", "tool")];
        assert_eq!(refusal(form(&app, REVOKE, &rubbish)).await, (200, String::new()));
        assert_eq!(robot.status().await, 200);
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
