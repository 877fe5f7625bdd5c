//! Registering, renaming and removing passkeys.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::{Authenticator, ORIGIN, Rig, begin, post, register, signed_in};
use crate::support::both_databases;
use crate::support::browser::{Browser, PASSWORD, enrol, invite};

both_databases! {
    async fn passkey_is_listed_renamed_and_removed(rig: Rig) {
        register(&rig.browser, "Blue key").await;
        let page = rig.browser.get("/account/passkeys").await;
        assert_eq!(page.heading(), "Your passkeys");
        assert!(page.text.contains("Blue key"), "{}", page.text);
        let (_, rest) = page.text.split_once("name=\"id\" value=\"").expect("its id");
        let id = rest.split_once('"').expect("a value").0.to_owned();
        let rename = [("action", "rename"), ("id", &*id), ("name", "Red key")];
        rig.browser.post("/account/passkeys", &rename).await.location();
        let page = rig.browser.get("/account/passkeys").await;
        assert!(page.text.contains("Red key") && !page.text.contains("Blue key"));
        let remove = [("action", "remove"), ("id", &*id)];
        rig.browser.post("/account/passkeys", &remove).await.location();
        assert!(rig.browser.get("/account/passkeys").await.text.contains("You have no passkeys"));
    }

    async fn last_second_factor_is_not_removed(rig: Rig) {
        let north = rig.app.world.north;
        let (_, path) = invite(&rig.app, north, Role::Auditor, "bob@north.example").await;
        let bob = Browser::new(&rig.app.gateway);
        bob.post(&path, &[("password", PASSWORD)]).await.location();
        let mut authenticator = Authenticator::new();
        let (options, ceremony) = begin(&bob, "/account/passkeys/options").await;
        let credential = authenticator.create(&options);
        let body = json!({ "ceremony": ceremony, "credential": credential, "returnTo": "/device" });
        let (status, answer) = post(&bob, "/account/passkeys/register", &body).await;
        assert_eq!((status, &answer["next"]), (200, &json!("/device")), "{answer}");
        assert!(signed_in(&bob).await.is_some(), "the first factor completes the sign-in");
        let page = bob.get("/account/passkeys").await;
        let (_, rest) = page.text.split_once("name=\"id\" value=\"").expect("its id");
        let id = rest.split_once('"').expect("a value").0.to_owned();
        let page = bob.post("/account/passkeys", &[("action", "remove"), ("id", &id)]).await;
        assert_eq!(page.status, 422);
        assert!(page.text.contains("last second factor"), "{}", page.text);
        register(&bob, "Another").await;
        bob.post("/account/passkeys", &[("action", "remove"), ("id", &id)]).await.location();
    }

    async fn passkey_of_somebody_else_is_not_found(rig: Rig) {
        register(&rig.browser, "Blue key").await;
        let page = rig.browser.get("/account/passkeys").await;
        let (_, rest) = page.text.split_once("name=\"id\" value=\"").expect("its id");
        let id = rest.split_once('"').expect("a value").0.to_owned();
        let north = rig.app.world.north;
        let (_, eve) = enrol(&rig.app, north, Role::Auditor, "eve@north.example").await;
        let unknown = "6f0dd1c2-6d1a-4ef4-8f5e-1d2f7c0f3c11";
        for id in [&*id, unknown, "none"] {
            let page = eve.post("/account/passkeys", &[("action", "remove"), ("id", id)]).await;
            assert_eq!(page.status, 422);
            assert!(page.text.contains("no such passkey"), "{}", page.text);
        }
    }

    async fn factor_is_set_up_within_ten_minutes_of_both_factors(rig: Rig) {
        rig.app.advance(601);
        let (status, answer) = post(&rig.browser, "/account/passkeys/options", &json!({})).await;
        assert_eq!(status, 403, "{answer}");
        let password = Browser::new(&rig.app.gateway);
        password.password(&rig.ann, "").await.location();
        let (status, _) = post(&password, "/account/passkeys/options", &json!({})).await;
        assert_eq!(status, 403, "a password alone is not enough");
        let nobody = Browser::new(&rig.app.gateway);
        nobody.get("/login").await;
        assert_eq!(post(&nobody, "/account/passkeys/options", &json!({})).await.0, 403);
    }

    async fn registration_works_once_and_in_its_own_browser(rig: Rig) {
        let mut authenticator = Authenticator::new();
        let (options, ceremony) = begin(&rig.browser, "/account/passkeys/options").await;
        let credential = authenticator.create(&options);
        let body = json!({ "ceremony": ceremony, "credential": credential });
        let north = rig.app.world.north;
        let (_, eve) = enrol(&rig.app, north, Role::Auditor, "eve@north.example").await;
        assert_eq!(post(&eve, "/account/passkeys/register", &body).await.0, 403);
        assert_eq!(post(&rig.browser, "/account/passkeys/register", &body).await.0, 200);
        assert_eq!(post(&rig.browser, "/account/passkeys/register", &body).await.0, 403);
    }

    async fn registration_for_another_site_or_after_five_minutes_is_refused(rig: Rig) {
        let mut authenticator = Authenticator::new();
        "https://evil.example".clone_into(&mut authenticator.origin);
        let (options, ceremony) = begin(&rig.browser, "/account/passkeys/options").await;
        let body = json!({ "ceremony": ceremony, "credential": authenticator.create(&options) });
        assert_eq!(post(&rig.browser, "/account/passkeys/register", &body).await.0, 403);
        ORIGIN.clone_into(&mut authenticator.origin);
        let (options, ceremony) = begin(&rig.browser, "/account/passkeys/options").await;
        let body = json!({ "ceremony": ceremony, "credential": authenticator.create(&options) });
        rig.app.advance(301);
        assert_eq!(post(&rig.browser, "/account/passkeys/register", &body).await.0, 403);
    }

    async fn malformed_answers_are_refused(rig: Rig) {
        for body in [
            json!({}),
            json!({ "ceremony": "none", "credential": {} }),
            json!({ "ceremony": "6f0dd1c2-6d1a-4ef4-8f5e-1d2f7c0f3c11", "credential": [] }),
            json!([]),
        ] {
            let (status, answer) = post(&rig.browser, "/account/passkeys/register", &body).await;
            assert_eq!(status, 400, "{body}: {answer}");
            let (status, answer) = post(&rig.browser, "/login/passkey", &body).await;
            assert_eq!(status, 400, "{body}: {answer}");
        }
    }
}
