//! The form of the Taegis SDK: one request, held until the decision.

use std::time::Duration;

use serde_json::json;
use tenant_gateway::roles::Role;

use super::program::{ask, ask_sdk, decide, error, held, start_sdk};
use crate::oauth::asking::part;
use crate::support::browser::enrol;
use crate::support::{Answer, TestApp, both_databases, eventually, notes};

/// Sends the held request in a task of its own.
fn wait(request: reqwest::RequestBuilder) -> tokio::task::JoinHandle<Answer> {
    tokio::spawn(async move { Answer::read(request.send().await.expect("an answer")).await })
}

/// Waits until the node holds that many requests.
async fn holds(app: &TestApp, count: usize) {
    eventually(10, "held requests", async || {
        (app.budgets.held_requests.figures().in_use == count).then_some(())
    })
    .await;
}

both_databases! {
    async fn held_request_gets_the_persons_token_once_approved(app: TestApp) {
        let (ana, browser) =
            enrol(&app, app.world.north, Role::Administrator, "ana@north.example").await;
        let codes = start_sdk(&app).await;
        assert_eq!(codes.answer["verification_uri"], json!(format!("{}/device", app.url)));
        let complete = format!("{}/device?user_code={}", app.url, codes.user);
        assert_eq!(codes.answer["verification_uri_complete"], json!(complete));
        assert_eq!((&codes.answer["interval"], &codes.answer["expires_in"]), (&json!(5), &json!(600)));
        let waiting = wait(held(&app, &codes));
        holds(&app, 1).await;
        let page = browser.get(&format!("/device?user_code={}", codes.user)).await;
        assert_eq!(page.heading(), "Connect a device");
        for shown in ["taegis-sdk", "sdk/2.0", "127.0.0.1", &codes.user, "North"] {
            assert!(page.text.contains(shown), "{shown}: {}", page.text);
        }
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
        let answer = waiting.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        holds(&app, 0).await;
        let token = answer.body["access_token"].as_str().unwrap().to_owned();
        notes::note(&token);
        let claims = part(&token, 1);
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(ana.id), &json!("taegis-sdk")));
        assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
        assert_eq!(answer.body["token_type"], json!("Bearer"));
        let create = "mutation { createClient(name: \"first\") { clientSecret client { id } } }";
        let request = app.graphql(create, &json!({})).bearer_auth(&token);
        assert!(app.send(request).await.field("createClient")["clientSecret"].is_string());
        let again = app.send(held(&app, &codes)).await;
        assert_eq!((again.status, error(&again)), (400, "invalid_grant"), "a second use");
    }

    async fn approval_at_another_node_wakes_the_request(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let second = app.another_node().await;
        let codes = start_sdk(&second).await;
        let waiting = wait(held(&second, &codes));
        holds(&second, 1).await;
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
        let answer = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    async fn denial_and_expiry_end_the_request(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start_sdk(&app).await;
        let waiting = wait(held(&app, &codes));
        holds(&app, 1).await;
        assert_eq!(decide(&browser, &codes, "deny").await, "Request denied");
        let answer = waiting.await.unwrap();
        assert_eq!((answer.status, error(&answer)), (400, "access_denied"));

        let codes = start_sdk(&app).await;
        let waiting = wait(held(&app, &codes));
        holds(&app, 1).await;
        app.advance(601);
        let answer = waiting.await.unwrap();
        assert_eq!((answer.status, error(&answer)), (400, "expired_token"));
        assert_eq!(decide(&browser, &codes, "approve").await, "Connect a device", "too late");
    }

    async fn undecided_request_ends_in_time_and_the_code_stays_good(app: TestApp) {
        let node = app
            .another_node_with(|config| config.device.hold = Duration::from_secs(1))
            .await;
        let (_, browser) = enrol(&node, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start_sdk(&node).await;
        let answer = node.send(held(&node, &codes)).await;
        assert_eq!((answer.status, error(&answer)), (400, "authorization_pending"));
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
        assert_eq!(node.send(held(&node, &codes)).await.status, 200);
    }

    async fn client_that_leaves_is_let_go(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start_sdk(&app).await;
        let waiting = wait(held(&app, &codes));
        holds(&app, 1).await;
        waiting.abort();
        holds(&app, 0).await;
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
        assert_eq!(app.send(held(&app, &codes)).await.status, 200, "the code was not used up");
    }

    async fn restart_ends_held_requests_cleanly_and_keeps_the_approval(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let second = app.another_node().await;
        let codes = start_sdk(&second).await;
        let waiting = wait(held(&second, &codes));
        holds(&second, 1).await;
        second.stop().await;
        let answer = waiting.await.unwrap();
        assert_eq!((answer.status, error(&answer)), (503, "temporarily_unavailable"));
        let third = app.another_node().await;
        let browser = browser.at(&third.gateway);
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
        assert_eq!(third.send(held(&third, &codes)).await.status, 200);
    }

    async fn held_requests_of_one_address_are_limited(app: TestApp) {
        let node = app
            .another_node_with(|config| config.device.held_requests_per_address = 2)
            .await;
        let codes = start_sdk(&node).await;
        let waiting = [(); 2].map(|()| wait(held(&node, &codes)));
        holds(&node, 2).await;
        let refused = node.send(held(&node, &codes)).await;
        assert_eq!((refused.status, error(&refused)), (429, "temporarily_unavailable"));
        assert!(refused.header("retry-after").is_some());
        for request in &waiting {
            request.abort();
        }
        holds(&node, 0).await;
    }

    async fn undecided_codes_of_one_address_are_limited_over_all_nodes(app: TestApp) {
        let nodes = [
            app.another_node_with(|config| config.device.codes_per_address = 3).await,
            app.another_node_with(|config| config.device.codes_per_address = 3).await,
        ];
        for number in 0..3 {
            start_sdk(&nodes[number % 2]).await;
        }
        for node in &nodes {
            let refused = ask_sdk(node).await;
            assert_eq!((refused.status, error(&refused)), (429, "temporarily_unavailable"));
            assert_eq!(ask(node, &[]).await.status, 429);
        }
        app.advance(601);
        start_sdk(&nodes[0]).await;
    }

    async fn malformed_requests_get_clear_errors(app: TestApp) {
        let url = format!("{}/universal-auth/device/code/token", app.url);
        let known = start_sdk(&app).await;
        let mut mistyped = known.clone();
        mistyped.device.replace_range(10..11, if &known.device[10..11] == "a" { "b" } else { "a" });
        let unknown = app.send(held(&app, &mistyped)).await;
        assert_eq!((unknown.status, error(&unknown)), (400, "invalid_grant"));
        for body in ["", "[]", "{}", "{\"device_code\":1}", &"x".repeat(5000)] {
            let post = app.http.post(&url).header("content-type", "application/json");
            let answer = app.send(post.body(body.to_owned())).await;
            assert_eq!((answer.status, error(&answer)), (400, "invalid_request"), "{body}");
        }
        let answer = app.send(app.http.post(&url).body("{}")).await;
        assert_eq!(answer.status, 400);
        assert_eq!(app.send(app.http.get(&url)).await.status, 405);
    }
}
