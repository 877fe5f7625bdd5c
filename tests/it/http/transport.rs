//! Requirements of HTTP on requests and responses.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::{document, post};
use crate::support::{Caller, TestApp, both_databases, eventually, notes, raw};

const JSON: (&str, &str) = ("content-type", "application/json");
const CREATE: &str =
    "mutation($name: String!) { createClient(name: $name) { clientSecret client { NAMES } } }";

/// Sends a POST as raw bytes, with these lines in its head beside the usual ones.
async fn exchange(caller: &Caller, app: &TestApp, lines: &str, body: &str) -> (u16, Value) {
    let head = format!(
        "POST /graphql HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: \
        application/json\r\nConnection: close\r\n",
        caller.token
    );
    let request = format!("{head}{lines}\r\n{body}");
    raw::exchange(app.address, request.as_bytes()).await.expect("an answer")
}

/// The challenge of a refused token, and the reason in the log.
async fn refused_token(app: &TestApp, authorization: Option<&str>) -> (String, String) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let id = format!("refused-token-{}.", NUMBER.fetch_add(1, Ordering::Relaxed));
    let request = app.graphql("{ __typename }", &json!({})).header("x-request-id", &id);
    let request = match authorization {
        Some(authorization) => request.header("authorization", authorization),
        None => request,
    };
    let answer = app.send(request).await;
    assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"));
    let challenge = answer.header("www-authenticate").expect("a challenge").to_owned();
    let reason = eventually(10, "the reason in the log", async || {
        let log = std::fs::read_to_string(notes::folder().join("it.log")).unwrap();
        let line = log
            .lines()
            .find(|line| line.contains(&id) && line.contains("access token refused"))?
            .to_owned();
        let reason = line.split("\"reason\":\"").nth(1)?.split('"').next()?;
        Some(reason.to_owned())
    });
    (challenge, reason.await)
}

both_databases! {
    async fn every_response_forbids_sniffing(app: TestApp) {
        for path in [
            "/health/live",
            "/health/ready",
            "/.well-known/jwks.json",
            "/graphql",
            "/oauth2/token",
            "/nothing",
        ] {
            let answer = app.http.get(format!("{}{path}", app.url)).send().await.unwrap();
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        }
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let answer = post(&caller, &[JSON], document("{ __typename }")).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }

    async fn request_must_have_one_host(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let body = document("{ __typename }");
        let length = format!("Content-Length: {}\r\n", body.len());
        let one = exchange(&caller, &app, &format!("Host: gateway\r\n{length}"), &body).await;
        assert_eq!(one.0, 200);
        for hosts in ["", "Host: gateway\r\nHost: gateway\r\n", "Host: a b\r\n"] {
            let (status, answer) =
                exchange(&caller, &app, &format!("{hosts}{length}"), &body).await;
            assert_eq!((status, &answer["error"]), (400, &json!("bad_request")), "{hosts:?}");
            assert!(answer["message"].as_str().unwrap().contains("Host"), "{answer}");
        }
    }

    async fn malformed_chunks_are_a_bad_request(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let lines = "Host: gateway\r\nTransfer-Encoding: chunked\r\n";
        let (status, answer) = exchange(&caller, &app, lines, "5\r\n{\"que\r\nzz\r\n").await;
        assert_eq!(
            (status, &answer["errors"][0]["extensions"]["code"]),
            (400, &json!("BAD_REQUEST")),
            "{answer}"
        );
    }

    async fn compressed_body_is_unsupported(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let refused =
            post(&caller, &[JSON, ("content-encoding", "gzip")], vec![0x1f, 0x8b, 8]).await;
        assert_eq!((refused.status, refused.code()), (415, "BAD_REQUEST"));
        assert_eq!(refused.header("accept-encoding"), Some("identity"));
        let plain =
            post(&caller, &[JSON, ("content-encoding", "identity")], document("{ __typename }"))
                .await;
        assert_eq!(plain.status, 200);
        let token = app
            .token_request(&[("grant_type", "client_credentials")])
            .header("content-encoding", "deflate");
        let refused = app.send(token.header("authorization", caller.credentials.basic())).await;
        assert_eq!((refused.status, &refused.body["error"]), (415, &json!("invalid_request")));
    }

    async fn large_query_response_is_compressed_when_accepted(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let document = "{ __schema { types { name description fields { name description } } } }";
        let plain = caller.request(document, &json!({})).send().await.unwrap();
        assert_eq!(plain.headers().get(CONTENT_ENCODING), None);
        let plain = plain.bytes().await.unwrap();
        let packed = caller
            .request(document, &json!({}))
            .header(ACCEPT_ENCODING, "br, gzip")
            .send()
            .await
            .unwrap();
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        assert!(packed.headers()[VARY].to_str().unwrap().contains("Accept-Encoding"));
        let packed = packed.bytes().await.unwrap();
        assert!(packed.len() * 2 < plain.len(), "{} of {}", packed.len(), plain.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == plain);
    }

    async fn secrets_and_streams_are_never_compressed(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let names = (0..20).map(|number| format!("n{number}: name ")).collect::<String>();
        let request = administrator
            .request(&CREATE.replace("NAMES", &names), &json!({ "name": "x".repeat(255) }));
        let made = request.header(ACCEPT_ENCODING, "gzip").send().await.unwrap();
        assert_eq!((made.status(), made.headers().get(CONTENT_ENCODING)), (StatusCode::OK, None));
        let made: Value = made.json().await.unwrap();
        notes::note_all(&made);
        assert!(
            made.to_string().len() > 4096
                && made["data"]["createClient"]["clientSecret"].is_string(),
            "{made}"
        );
        let document = "{ __schema { types { name description fields { name description } } } }";
        let request = administrator.request(document, &json!({})).header(ACCEPT_ENCODING, "gzip");
        let events = request.header(ACCEPT, "text/event-stream").send().await.unwrap();
        assert_eq!(events.headers().get(CONTENT_ENCODING), None);
        assert_eq!(events.headers()["x-accel-buffering"], "no");
        assert!(events.text().await.unwrap().contains("event: complete"));
    }

    async fn error_messages_say_what_to_do(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let trailing = post(&caller, &[JSON], "{\n  \"query\": \"{ __typename }\",\n}").await;
        assert_eq!((trailing.status, trailing.code()), (400, "BAD_REQUEST"));
        assert!(trailing.message().contains("line 3, column 1"), "{}", trailing.message());
        let mutation = "mutation%7BdeleteClient(id:1)%7Bid%7D%7D";
        let mutation = app
            .http
            .get(format!("{}/graphql?query={mutation}", app.url))
            .bearer_auth(&caller.token);
        let refused = app.send(mutation).await;
        assert_eq!((refused.status, refused.header("allow")), (405, Some("POST")));
        assert!(refused.message().contains("POST"), "{}", refused.message());
        for (path, hint) in [
            ("/graphql/", "/graphql"),
            ("/api/graphql", "/graphql"),
            ("/", "/graphql"),
            ("/playground", "playground.enabled"),
        ] {
            let missing = app.send(app.http.get(format!("{}{path}", app.url))).await;
            assert_eq!(
                (missing.status, &missing.body["error"]),
                (404, &json!("not_found")),
                "{path}"
            );
            assert!(
                missing.body["message"].as_str().unwrap().contains(hint),
                "{path}: {}",
                missing.body
            );
        }
        let named = caller.within("North").ask("{ __typename }", json!({})).await;
        assert_eq!((named.status, named.code()), (403, "FORBIDDEN"));
        assert!(named.message().contains("UUID"), "{}", named.message());
    }

    async fn refused_token_names_the_reason_to_its_holder(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let bearer = format!("Bearer {}", caller.token);
        let stranger =
            TestApp::over(crate::support::TestDatabase::fresh(app.database.engine).await).await;
        let foreign = stranger.caller(stranger.world.north, Role::Auditor).await;
        let foreign = format!("Bearer {}", foreign.token);
        for (authorization, description, reason) in [
            (None, None, "token_missing"),
            (Some("Basic eDp5"), None, "token_missing"),
            (Some("Bearer rubbish"), Some("malformed"), "token_malformed"),
            (Some(&*foreign), Some("not issued by this gateway"), "token_foreign"),
        ] {
            let (challenge, logged) = refused_token(&app, authorization).await;
            assert_eq!(challenge.contains("error="), description.is_some(), "{challenge}");
            assert!(
                description.is_none_or(|description| challenge.contains(description)),
                "{challenge}"
            );
            assert_eq!(logged, reason);
        }
        let other = caller.again().await;
        app.advance(3600);
        let (challenge, logged) = refused_token(&app, Some(&bearer)).await;
        assert!(
            challenge
                .contains(r#"error="invalid_token", error_description="the token has expired""#),
            "{challenge}"
        );
        assert_eq!(logged, "token_expired");
        let again = other.again().await;
        let administrator = app.administrator(app.world.north).await;
        let disable =
            "mutation($id: ID!) { updateClient(id: $id, input: { enabled: false }) { id } }";
        administrator.ask(disable, json!({ "id": again.id() })).await.data();
        let (challenge, logged) =
            refused_token(&app, Some(&format!("Bearer {}", again.token))).await;
        assert!(challenge.contains("was ended"), "{challenge}");
        assert_eq!(logged, "token_ended");
    }
}
