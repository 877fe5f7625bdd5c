//! Errors of the OAuth endpoints: code, status and form (RFC 6749, section 5.2).

use serde_json::json;
use tenant_gateway::roles::Role;

use super::asking::{GRANT, INTROSPECT, REVOKE, form, revoke};
use crate::support::{Answer, Credentials, TestApp, both_databases};

const ENDPOINTS: [&str; 4] = ["/oauth2/token", "/auth/api/v2/auth/token", INTROSPECT, REVOKE];
const FORM: &str = "application/x-www-form-urlencoded";

/// The status and error code of an error response in the form of RFC 6749, section 5.2.
fn refused(answer: &Answer) -> (u16, &str) {
    let body = answer.body.as_object().expect("an object");
    assert_eq!(body.keys().collect::<Vec<_>>(), ["error", "error_description"]);
    let described = body["error_description"].as_str().expect("text");
    let permitted = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    assert!(!described.is_empty() && described.chars().all(permitted), "{described}");
    assert_eq!(
        (answer.header("cache-control"), answer.header("pragma")),
        (Some("no-store"), Some("no-cache"))
    );
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let challenged =
        answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic "));
    assert_eq!(
        challenged,
        answer.status == 401,
        "the challenge stands beside 401 and nowhere else"
    );
    (answer.status, body["error"].as_str().expect("text"))
}

both_databases! {
    async fn each_invalid_request_has_its_error(app: TestApp) {
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let stranger = app.caller(app.world.stranger, Role::Auditor).await;
        let basic = robot.basic();
        let foreign = format!("token={}", stranger.token);
        let unknown = "tenant=00000000-0000-4000-8000-000000000000";
        let cases = [
            ("/oauth2/token", "", 400, "invalid_request"),
            ("/oauth2/token", "grant_type=", 400, "invalid_request"),
            (
                "/oauth2/token",
                "grant_type=client_credentials&grant_type=client_credentials",
                400,
                "invalid_request",
            ),
            (
                "/oauth2/token",
                "grant_type=client_credentials&client_secret=x",
                400,
                "invalid_request",
            ),
            (
                "/oauth2/token",
                "grant_type=client_credentials&client_assertion=x",
                400,
                "invalid_request",
            ),
            (
                "/oauth2/token",
                "grant_type=client_credentials&client_id=another",
                400,
                "invalid_request",
            ),
            ("/oauth2/token", "grant_type=client_credentials&scope=%ff", 400, "invalid_request"),
            (
                "/oauth2/token",
                "grant_type=authorization_code&code=x",
                400,
                "unsupported_grant_type",
            ),
            (
                "/oauth2/token",
                "grant_type=refresh_token&refresh_token=x",
                400,
                "unsupported_grant_type",
            ),
            ("/oauth2/token", "grant_type=client_credentials&scope=openid", 400, "invalid_scope"),
            (
                "/oauth2/token",
                "grant_type=client_credentials&scope=clients%3Amanage",
                400,
                "invalid_scope",
            ),
            (
                "/oauth2/token",
                &format!("grant_type=client_credentials&{unknown}"),
                400,
                "invalid_target",
            ),
            (INTROSPECT, "", 400, "invalid_request"),
            (INTROSPECT, "token=", 400, "invalid_request"),
            (INTROSPECT, "token=x&token=y", 400, "invalid_request"),
            (REVOKE, "", 400, "invalid_request"),
            (REVOKE, "token_type_hint=access_token", 400, "invalid_request"),
            (REVOKE, &foreign, 400, "invalid_grant"),
        ];
        for (path, body, status, error) in cases {
            let request = app.http.post(format!("{}{path}", app.url)).header("content-type", FORM);
            let answer =
                app.send(request.header("authorization", &basic).body(body.to_owned())).await;
            assert_eq!(refused(&answer), (status, error), "{path} {body}");
        }
    }

    async fn every_endpoint_requires_client_authentication(app: TestApp) {
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let wrong = Credentials { secret: format!("{}x", robot.secret), ..robot.clone() };
        for path in ENDPOINTS {
            let filled = [GRANT, ("token", "rubbish")];
            let mut learnt = Vec::new();
            for request in [
                form(&app, path, &filled),
                form(&app, path, &filled).header("authorization", wrong.basic()),
                form(&app, path, &filled).header("authorization", "Bearer rubbish"),
                form(&app, path, &filled).header("authorization", "Basic rubbish"),
                form(&app, path, &[GRANT, ("token", "rubbish"), ("client_id", &robot.client_id)]),
                form(
                    &app,
                    path,
                    &[
                        GRANT,
                        ("token", "x"),
                        ("client_id", &robot.client_id),
                        ("client_secret", "x"),
                    ],
                ),
            ] {
                let answer = app.send(request).await;
                assert_eq!(refused(&answer), (401, "invalid_client"), "{path}");
                learnt.push(answer.learnt());
            }
            assert!(learnt.iter().all(|other| *other == learnt[0]), "{learnt:#?}");
        }
    }

    async fn vendor_token_path_takes_json_with_basic_credentials(app: TestApp) {
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let ask = async |path: &str, media_type: &str, body: &str| {
            let post = app
                .http
                .post(format!("{}{path}", app.url))
                .header("content-type", media_type.to_owned());
            app.send(post.header("authorization", robot.basic()).body(body.to_owned())).await
        };
        let taegis = "/auth/api/v2/auth/token";
        let grant = r#"{"grant_type":"client_credentials","audience":["x"]}"#;
        for media_type in
            ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=utf8"]
        {
            let answer = ask(taegis, media_type, grant).await;
            assert_eq!(
                (answer.status, answer.body["token_type"].as_str()),
                (200, Some("Bearer")),
                "{media_type}"
            );
        }
        for body in [
            "",
            "[]",
            "{",
            r#"{"grant_type":1}"#,
            r#"{"grant_type":"client_credentials","grant_type":"x"}"#,
        ] {
            assert_eq!(
                refused(&ask(taegis, "application/json", body).await),
                (400, "invalid_request"),
                "{body}"
            );
        }
        assert_eq!(
            refused(&ask(taegis, "application/json; charset=utf-16", grant).await),
            (400, "invalid_request")
        );
        assert_eq!(
            refused(&ask("/oauth2/token", "application/json", grant).await),
            (400, "invalid_request")
        );
        let form = ask(
            "/oauth2/token",
            "application/x-www-form-urlencoded;charset=utf8",
            "grant_type=client_credentials",
        );
        assert_eq!(form.await.status, 200);
    }

    async fn body_that_is_no_form_is_refused_everywhere(app: TestApp) {
        let basic = app.credentials(app.world.north, Role::Auditor).await.basic();
        for path in ENDPOINTS {
            let url = format!("{}{path}", app.url);
            let post = || {
                app.http
                    .post(&url)
                    .header("authorization", &basic)
                    .body("grant_type=client_credentials&token=x")
            };
            let long = format!("grant_type=client_credentials&token={}", "x".repeat(20_000));
            for request in [
                post(),
                post().header("content-type", "application/json"),
                post().header("content-type", "application/x-www-form-urlencoded; charset=utf-16"),
                post().header("content-type", FORM).body(long),
                app.http
                    .post(format!("{url}?token=x"))
                    .header("authorization", &basic)
                    .header("content-type", FORM),
            ] {
                assert_eq!(refused(&app.send(request).await), (400, "invalid_request"), "{path}");
            }
            for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::OPTIONS] {
                let answer = app.send(app.http.request(method, format!("{url}?token=x"))).await;
                assert_eq!(refused(&answer), (405, "invalid_request"), "{path}");
                assert_eq!(answer.header("allow"), Some("POST"));
            }
        }
    }

    async fn revoking_one_token_leaves_others_valid(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let other = robot.again().await;
        assert_eq!(revoke(&app, &robot.credentials, &robot.token).await, 200);
        assert_eq!((robot.status().await, other.status().await), (401, 200));
        let subject =
            other.ask("{ currentSubject { id } }", json!({})).await.field("currentSubject");
        assert_eq!(subject["id"], json!(robot.id()));
    }
}
