//! Signing in with passkeys.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::{Authenticator, ORIGIN, Rig, begin, post, register, send, sign_in, signed_in};
use crate::support::both_databases;
use crate::support::browser::{Browser, enrol};
use crate::support::master_key::node_with_new_key_alone;

both_databases! {
    async fn passkey_signs_in_alone(rig: Rig) {
        let mut passkey = register(&rig.browser, "Blue key").await;
        let browser = Browser::new(&rig.app.gateway);
        let (status, answer) = sign_in(&browser, &mut passkey).await;
        assert_eq!((status, &answer["next"]), (200, &json!("/account")), "{answer}");
        assert_eq!(signed_in(&browser).await, Some(rig.ann.id.clone()));
    }

    async fn passkey_is_the_second_factor_after_a_password(rig: Rig) {
        let mut passkey = register(&rig.browser, "Blue key").await;
        let browser = Browser::new(&rig.app.gateway);
        browser.password(&rig.ann, "/device").await.location();
        let before = browser.cookie("__Host-session");
        let (options, ceremony) = begin(&browser, "/login/passkey/options").await;
        assert_eq!(options["publicKey"]["allowCredentials"][0]["id"], passkey.id());
        let credential = passkey.get(&options);
        let body = json!({ "ceremony": ceremony, "credential": credential, "returnTo": "/device" });
        let (status, answer) = post(&browser, "/login/passkey", &body).await;
        assert_eq!((status, &answer["next"]), (200, &json!("/device")), "{answer}");
        assert_ne!(browser.cookie("__Host-session"), before, "another session cookie");
        assert_eq!(signed_in(&browser).await, Some(rig.ann.id.clone()));
    }

    async fn options_do_not_tell_who_has_passkeys(rig: Rig) {
        register(&rig.browser, "Blue key").await;
        let browser = Browser::new(&rig.app.gateway);
        browser.get("/login").await;
        let (options, _) = begin(&browser, "/login/passkey/options").await;
        assert_eq!(options["publicKey"]["allowCredentials"], json!([]));
        assert_eq!(options["publicKey"]["userVerification"], "required");
    }

    async fn network_that_begins_too_many_sign_ins_is_told_how_long_to_wait(rig: Rig) {
        let browser = Browser::new(&rig.app.gateway);
        browser.get("/login").await;
        for _ in 0..120 {
            begin(&browser, "/login/passkey/options").await;
        }
        rig.app.advance(20);
        let refused = send(&browser, "/login/passkey/options", &json!({})).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("40")));
        rig.app.advance(40);
        begin(&browser, "/login/passkey/options").await;
    }

    async fn answer_works_once(rig: Rig) {
        let mut passkey = register(&rig.browser, "Blue key").await;
        let browser = Browser::new(&rig.app.gateway);
        browser.get("/login").await;
        let (options, ceremony) = begin(&browser, "/login/passkey/options").await;
        let body = json!({ "ceremony": ceremony, "credential": passkey.get(&options) });
        assert_eq!(post(&browser, "/login/passkey", &body).await.0, 200);
        let again = Browser::new(&rig.app.gateway);
        again.get("/login").await;
        assert_eq!(post(&again, "/login/passkey", &body).await.0, 403);
        // The same answer to another challenge.
        let (_, ceremony) = begin(&again, "/login/passkey/options").await;
        let replayed = json!({ "ceremony": ceremony, "credential": body["credential"] });
        assert_eq!(post(&again, "/login/passkey", &replayed).await.0, 403);
        assert_eq!(signed_in(&again).await, None);
    }

    async fn cloned_passkey_is_found_by_its_counter(rig: Rig) {
        let mut passkey = register(&rig.browser, "Blue key").await;
        let browser = Browser::new(&rig.app.gateway);
        assert_eq!(sign_in(&browser, &mut passkey).await.0, 200);
        passkey.counter -= 1;
        let clone = Browser::new(&rig.app.gateway);
        let (status, answer) = sign_in(&clone, &mut passkey).await;
        assert_eq!((status, signed_in(&clone).await), (403, None), "{answer}");
        rig.app.background_jobs.run_once().await.unwrap();
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let document = r#"{ auditLog(operation: "passkey") { edges { node { reason actor } } } }"#;
        let log = administrator.ask(document, json!({})).await.field("auditLog");
        let node = json!({ "reason": "passkey_counter", "actor": rig.ann.id });
        assert_eq!(log["edges"][0]["node"], node);
    }

    async fn foreign_and_unverified_passkeys_are_refused_alike(rig: Rig) {
        let mut of_ann = register(&rig.browser, "Blue key").await;
        let north = rig.app.world.north;
        let (eve, at_eve) = enrol(&rig.app, north, Role::Auditor, "eve@north.example").await;
        let mut of_eve = register(&at_eve, "Eve's").await;
        let mut refusals = Vec::new();
        // Of nobody.
        let mut unknown = Authenticator::new();
        refusals.push(sign_in(&Browser::new(&rig.app.gateway), &mut unknown).await);
        // One that claims to be another person's.
        of_eve.claim(&rig.ann.id);
        refusals.push(sign_in(&Browser::new(&rig.app.gateway), &mut of_eve).await);
        // Without user verification.
        of_ann.verifies_user = false;
        refusals.push(sign_in(&Browser::new(&rig.app.gateway), &mut of_ann).await);
        of_ann.verifies_user = true;
        // Another person's as the second factor.
        of_eve.claim(&eve.id);
        let browser = Browser::new(&rig.app.gateway);
        browser.password(&rig.ann, "").await.location();
        let (options, ceremony) = begin(&browser, "/login/passkey/options").await;
        let body = json!({ "ceremony": ceremony, "credential": of_eve.get(&options) });
        refusals.push(post(&browser, "/login/passkey", &body).await);
        for refusal in &refusals {
            assert_eq!(refusal, &refusals[0]);
        }
        assert_eq!(refusals[0].0, 403);
    }

    async fn passkey_is_resealed_when_the_master_key_changes(rig: Rig) {
        let mut passkey = register(&rig.browser, "Blue key").await;
        let node = node_with_new_key_alone(&rig.app, |config| {
            config.server.public_url = Some(ORIGIN.to_owned());
        })
        .await;
        let browser = Browser::new(&node.gateway);
        assert_eq!(sign_in(&browser, &mut passkey).await.0, 200);
        assert_eq!(signed_in(&browser).await, Some(rig.ann.id.clone()));
    }

    async fn disabled_person_does_not_sign_in(rig: Rig) {
        let mut passkey = register(&rig.browser, "Blue key").await;
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let disable = "mutation($id: ID!) { disableUser(id: $id) { id } }";
        administrator.ask(disable, json!({ "id": rig.ann.id })).await.data();
        let browser = Browser::new(&rig.app.gateway);
        assert_eq!(sign_in(&browser, &mut passkey).await.0, 403);
        assert_eq!(signed_in(&browser).await, None);
    }

    async fn person_whose_tenant_has_single_sign_on_does_not_sign_in_by_passkey(rig: Rig) {
        let mut passkey = register(&rig.browser, "Blue key").await;
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let set = r#"mutation { setIdentityProvider(input: {
            issuer: "https://id.example", clientID: "gateway",
            clientSecret: "a secret of a provider", domains: ["north.example"] }) { id } }"#;
        administrator.ask(set, json!({})).await.data();
        let browser = Browser::new(&rig.app.gateway);
        assert_eq!(sign_in(&browser, &mut passkey).await.0, 403);
        assert_eq!(signed_in(&browser).await, None);
    }

    async fn reset_of_factors_removes_passkeys(rig: Rig) {
        let mut passkey = register(&rig.browser, "Blue key").await;
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let reset = "mutation($id: ID!) { resetUserMfa(id: $id) { user { id } } }";
        administrator.ask(reset, json!({ "id": rig.ann.id })).await.data();
        let browser = Browser::new(&rig.app.gateway);
        assert_eq!(sign_in(&browser, &mut passkey).await.0, 403);
    }

    async fn ceremony_without_the_token_of_its_page_is_refused(rig: Rig) {
        let gateway = &rig.browser.gateway;
        for path in ["/login/passkey/options", "/login/passkey", "/account/passkeys/options",
            "/account/passkeys/register"] {
            let request = gateway.http.post(format!("{}{path}", gateway.url)).json(&json!({}));
            let request = request.header("origin", &gateway.url);
            assert_eq!(rig.browser.send(request).await.status, 403, "{path}");
            let request = gateway.http.post(format!("{}{path}", gateway.url)).json(&json!({}));
            let request = request.header("origin", "https://evil.example");
            let request = request.header("x-csrf-token", rig.browser.csrf().await);
            assert_eq!(rig.browser.send(request).await.status, 403, "{path}");
        }
    }
}
