//! The token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tenant_gateway::roles::Role;

use crate::support::{Answer, Credentials, TestApp, both_databases, notes};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const FORM: &str = "application/x-www-form-urlencoded";

/// A form body of exactly these bytes.
async fn post(app: &TestApp, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = app.http.post(format!("{}/oauth2/token", app.url)).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request).await
}

fn refused(answer: &Answer) -> (u16, &str) {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(
        answer.body["error_description"].is_string() && answer.body.get("access_token").is_none()
    );
    (answer.status, answer.body["error"].as_str().unwrap())
}

async fn robot(app: &TestApp) -> Credentials {
    app.credentials(app.world.north, Role::Auditor).await
}

fn pair(client_id: &str, secret: &str) -> String {
    let pair = STANDARD.encode(format!("{client_id}:{secret}"));
    notes::note(&pair);
    pair
}

both_databases! {
    async fn basic_and_form_credentials_are_accepted(app: TestApp) {
        let robot = robot(&app).await;
        let by_form = [
            GRANT,
            ("client_id", &robot.client_id),
            ("client_secret", &robot.secret),
            ("scope", "graphql"),
            ("more", "x"),
        ];
        let by_header = app.token_request(&[GRANT]).header("authorization", robot.basic());
        for request in [app.token_request(&by_form), by_header] {
            let answer = app.send(request).await;
            assert_eq!(answer.status, 200);
            assert_eq!(
                (answer.header("cache-control"), answer.header("pragma")),
                (Some("no-store"), Some("no-cache"))
            );
            assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
            let body = &answer.body;
            assert_eq!(
                (&body["token_type"], &body["expires_in"], &body["scope"]),
                (&json!("Bearer"), &json!(3600), &json!("graphql"))
            );
        }
    }

    async fn both_paths_serve(app: TestApp) {
        let robot = robot(&app).await;
        let request = app
            .http
            .post(format!("{}/auth/api/v2/auth/token", app.url))
            .header("content-type", FORM);
        let request =
            request.header("authorization", robot.basic()).body("grant_type=client_credentials");
        assert_eq!(app.send(request).await.status, 200);
    }

    async fn two_authentication_methods_at_once_are_refused(app: TestApp) {
        let robot = robot(&app).await;
        let basic = robot.basic();
        for form in [
            vec![GRANT, ("client_id", &robot.client_id), ("client_secret", &robot.secret)],
            vec![GRANT, ("client_secret", &robot.secret)],
            vec![GRANT, ("client_id", "another")],
        ] {
            let answer = app.send(app.token_request(&form).header("authorization", &basic)).await;
            assert_eq!(refused(&answer), (400, "invalid_request"));
        }
        let same = app
            .token_request(&[GRANT, ("client_id", &robot.client_id)])
            .header("authorization", &basic);
        assert_eq!(
            app.send(same).await.status,
            200,
            "an equal client_id is no second method"
        );
        let twice = app
            .token_request(&[GRANT])
            .header("authorization", &basic)
            .header("authorization", &basic);
        assert_eq!(refused(&app.send(twice).await), (400, "invalid_request"));
    }

    async fn repeated_parameter_is_refused(app: TestApp) {
        let robot = robot(&app).await;
        for name in ["grant_type", "client_id", "scope", "tenant"] {
            let body = format!("grant_type=client_credentials&{name}=x&{name}=x");
            let answer =
                post(&app, &[("content-type", FORM), ("authorization", &robot.basic())], &body)
                    .await;
            assert_eq!(refused(&answer), (400, "invalid_request"), "{name}");
        }
    }

    async fn credentials_are_form_decoded(app: TestApp) {
        let robot = robot(&app).await;
        let encoded =
            |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let basic = format!("Basic {}", pair(&encoded(&robot.client_id), &encoded(&robot.secret)));
        let answer = post(
            &app,
            &[("content-type", FORM), ("authorization", &basic)],
            "grant_type=client_credentials",
        )
        .await;
        assert_eq!(answer.status, 200);
        let body = format!(
            "client_id={}&grant_type=client%5Fcredentials&client_secret={}",
            encoded(&robot.client_id),
            encoded(&robot.secret)
        );
        assert_eq!(post(&app, &[("content-type", FORM)], &body).await.status, 200);
    }

    async fn scheme_and_media_type_know_no_case(app: TestApp) {
        let robot = robot(&app).await;
        let pair = pair(&robot.client_id, &robot.secret);
        for scheme in ["Basic", "basic", "BASIC", "bAsIc"] {
            let basic = format!("{scheme} {pair}");
            let media_type = "Application/X-WWW-Form-URLencoded; charset=UTF-8";
            let answer = post(
                &app,
                &[("content-type", media_type), ("authorization", &basic)],
                "grant_type=client_credentials",
            )
            .await;
            assert_eq!(answer.status, 200, "{scheme}");
        }
    }

    async fn malformed_token_requests_are_refused(app: TestApp) {
        let robot = robot(&app).await;
        let basic = robot.basic();
        let cases = [
            ("application/json", r#"{"grant_type":"client_credentials"}"#, 400, "invalid_request"),
            ("text/plain", "grant_type=client_credentials", 400, "invalid_request"),
            ("", "grant_type=client_credentials", 400, "invalid_request"),
            (FORM, "", 400, "invalid_request"),
            (FORM, "grant_type=", 400, "invalid_request"),
            (FORM, "grant_type=password", 400, "unsupported_grant_type"),
            (FORM, "grant_type=CLIENT_CREDENTIALS", 400, "unsupported_grant_type"),
            (FORM, "grant_type=client_credentials&scope=admin", 400, "invalid_scope"),
            (FORM, "grant_type=client_credentials&scope=graphql+admin", 400, "invalid_scope"),
            (FORM, "grant_type=client_credentials&tenant=x", 400, "invalid_target"),
        ];
        for (media_type, body, status, error) in cases {
            let answer =
                post(&app, &[("content-type", media_type), ("authorization", &basic)], body).await;
            assert_eq!(refused(&answer), (status, error), "{media_type} {body}");
        }
        let long = format!("grant_type=client_credentials&pad={}", "x".repeat(20_000));
        let answer = post(&app, &[("content-type", FORM), ("authorization", &basic)], &long).await;
        assert_eq!(refused(&answer), (400, "invalid_request"));
    }

    async fn only_post_is_offered(app: TestApp) {
        for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::DELETE] {
            let answer = app
                .send(app.http.request(
                    method,
                    format!("{}/oauth2/token?grant_type=client_credentials", app.url),
                ))
                .await;
            assert_eq!(refused(&answer), (405, "invalid_request"));
            assert_eq!(answer.header("allow"), Some("POST"));
        }
    }

    async fn unknown_client_and_wrong_secret_look_alike(app: TestApp) {
        let one = robot(&app).await;
        let two = robot(&app).await;
        let wrong = |client_id: &str, secret: &str| Credentials {
            id: String::new(),
            client_id: client_id.to_owned(),
            secret: secret.to_owned(),
        };
        let disabled = robot(&app).await;
        let administrator = app.administrator(app.world.north).await;
        let disable =
            "mutation($id: ID!) { updateClient(id: $id, input: { enabled: false }) { id } }";
        administrator.ask(disable, json!({ "id": disabled.id })).await.data();
        let mut learnt = Vec::new();
        for credentials in [
            wrong("unknown", &one.secret),
            wrong(&one.client_id, &two.secret),
            wrong(&one.id, &one.secret),
            wrong(&one.client_id, "hunter2"),
            wrong(&one.client_id, ""),
            wrong("", ""),
            wrong("a\0b", &one.secret),
            wrong(&"x".repeat(5000), &one.secret),
            wrong(&one.client_id.to_lowercase(), &one.secret),
            disabled,
        ] {
            let answer = app.ask_token(&credentials).await;
            assert_eq!(refused(&answer), (401, "invalid_client"));
            assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "));
            learnt.push(answer.learnt());
        }
        let by_form =
            app.token_request(&[GRANT, ("client_id", "unknown"), ("client_secret", &one.secret)]);
        learnt.push(app.send(by_form).await.learnt());
        learnt.push(app.send(app.token_request(&[GRANT])).await.learnt());
        for header in ["Basic", "Basic !!!", "Basic Zm9v", "Bearer x", "Digest x"] {
            learnt.push(
                app.send(app.token_request(&[GRANT]).header("authorization", header))
                    .await
                    .learnt(),
            );
        }
        assert!(learnt.iter().all(|other| *other == learnt[0]), "{learnt:#?}");
    }
}
