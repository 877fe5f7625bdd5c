//! The form of RFC 8628: a program polls the token endpoint.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::program::{GRANT_TYPE, ask, decide, error, poll, poll_as, start};
use crate::oauth::asking::{form, part};
use crate::support::browser::enrol;
use crate::support::{TestApp, both_databases};

both_databases! {
    async fn polls_are_answered_as_the_rfc_says(app: TestApp) {
        let (ana, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start(&app, &[]).await;
        let first = poll(&app, &codes).await;
        assert_eq!((first.status, error(&first)), (400, "authorization_pending"));
        assert_eq!(first.header("cache-control"), Some("no-store"));
        app.advance(2);
        assert_eq!(error(&poll(&app, &codes).await), "slow_down");
        app.advance(6);
        assert_eq!(error(&poll(&app, &codes).await), "slow_down", "ten seconds from now on");
        app.advance(16);
        assert_eq!(error(&poll(&app, &codes).await), "authorization_pending");
        assert_eq!(error(&poll_as(&app, &codes, "another").await), "invalid_grant");
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
        let granted = poll(&app, &codes).await;
        assert_eq!(granted.status, 200, "{}", granted.body);
        assert_eq!(granted.body["scope"], json!("graphql"));
        let claims = part(granted.body["access_token"].as_str().unwrap(), 1);
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(ana.id), &json!("tool")));
        assert!(granted.body["expires_in"].as_u64().unwrap() <= 3600);
        assert_eq!(error(&poll(&app, &codes).await), "invalid_grant", "a second use");
    }

    async fn denial_and_expiry_have_their_codes(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start(&app, &[]).await;
        assert_eq!(decide(&browser, &codes, "deny").await, "Request denied");
        assert_eq!(error(&poll(&app, &codes).await), "access_denied");
        assert_eq!(decide(&browser, &codes, "approve").await, "Connect a device", "decided once");
        let codes = start(&app, &[]).await;
        app.advance(601);
        assert_eq!(error(&poll(&app, &codes).await), "expired_token");
        app.advance(3600);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(error(&poll(&app, &codes).await), "invalid_grant", "forgotten");
    }

    async fn of_several_polls_at_once_one_gets_the_token(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let second = app.another_node().await;
        let codes = start(&app, &[]).await;
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
        let polls = (0..8).map(|number| {
            let node = if number % 2 == 0 { &app } else { &second };
            poll(node, &codes)
        });
        let answers = futures_util::future::join_all(polls).await;
        let granted = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(granted, 1);
    }

    async fn of_several_decisions_at_once_one_counts(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let second = app.another_node().await;
        let elsewhere = browser.at(&second.gateway);
        let codes = start(&app, &[]).await;
        let actions = ["approve", "deny", "approve", "deny"];
        let decisions = actions.iter().enumerate().map(|(number, action)| {
            decide(if number % 2 == 0 { &browser } else { &elsewhere }, &codes, action)
        });
        let headings = futures_util::future::join_all(decisions).await;
        let decided = headings.iter().filter(|heading| *heading != "Connect a device").count();
        assert_eq!(decided, 1, "{headings:?}");
    }

    async fn public_program_needs_no_more_than_a_name(app: TestApp) {
        let post = |fields: &[(&str, &str)]| form(&app, "/oauth2/device_authorization", fields);
        let registered = app.credentials(app.world.north, Role::Auditor).await;
        for client_id in ["", "two words", &*registered.client_id, &*registered.id, &"x".repeat(65)] {
            let refused = app.send(post(&[("client_id", client_id)])).await;
            assert_eq!((refused.status, error(&refused)), (400, "invalid_request"), "{client_id}");
        }
        for (parameters, code) in [
            (("tenant", "nowhere"), "invalid_target"),
            (("scope", "openid"), "invalid_scope"),
        ] {
            assert_eq!(error(&ask(&app, &[parameters]).await), code);
        }
        let fields = [("grant_type", GRANT_TYPE), ("client_id", "tool")];
        let missing = app.send(form(&app, "/oauth2/token", &fields)).await;
        assert_eq!(error(&missing), "invalid_request");
    }

    async fn metadata_names_the_endpoint_and_the_grant(app: TestApp) {
        let url = format!("{}/.well-known/oauth-authorization-server", app.url);
        let metadata = app.send(app.http.get(url)).await.body;
        let endpoint = format!("{}/oauth2/device_authorization", app.url);
        assert_eq!(metadata["device_authorization_endpoint"], json!(endpoint));
        let grants = metadata["grant_types_supported"].as_array().unwrap();
        assert!(grants.contains(&json!(GRANT_TYPE)));
    }
}
