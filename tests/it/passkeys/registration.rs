//! Registering, renaming and removing passkeys.

use std::sync::Arc;

use serde_json::json;
use tenant_gateway::auth::RequestId;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::error::ErrorCode;
use tenant_gateway::passkeys::{Dependencies, Passkeys, Registrant};
use tenant_gateway::roles::Role;
use tenant_gateway::secret::PlainSecret;
use tenant_gateway::users::NoSingleSignOn;

use super::{Authenticator, ORIGIN, Rig, begin, post, register, sign_in, signed_in};
use crate::support::browser::{Browser, PASSWORD, enrol, invite};
use crate::support::{both_databases, notes};

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

    /// Her only second factor is a passkey, and nobody else administers her tenant.
    async fn last_administrator_with_a_passkey_stays(rig: Rig) {
        let stranger = rig.app.world.stranger;
        let (id, path) =
            invite(&rig.app, stranger, Role::Administrator, "eve@stranger.example").await;
        let eve = Browser::new(&rig.app.gateway);
        eve.post(&path, &[("password", PASSWORD)]).await.location();
        let mut authenticator = Authenticator::new();
        let (options, ceremony) = begin(&eve, "/account/passkeys/options").await;
        let credential = authenticator.create(&options);
        let body = json!({ "ceremony": ceremony, "credential": credential });
        assert_eq!(post(&eve, "/account/passkeys/register", &body).await.0, 200);
        let page = eve.get("/account/passkeys").await;
        let (_, rest) = page.text.split_once("name=\"id\" value=\"").expect("its id");
        let passkey = rest.split_once('"').expect("a value").0.to_owned();
        for (field, shown) in [
            ("resetUserMfa", "{ inviteURL }"),
            ("resetUserPassword", "{ inviteURL }"),
            ("disableUser", "{ id }"),
            ("deleteUser", "{ id }"),
        ] {
            let document = format!("mutation {{ {field}(id: \"{id}\") {shown} }}");
            assert_eq!(eve.graphql_as_page(&document).await.code(), "CONFLICT", "{field}");
        }
        let remove = [("action", "remove"), ("id", &*passkey)];
        assert_eq!(eve.post("/account/passkeys", &remove).await.status, 422);
        let browser = Browser::new(&rig.app.gateway);
        assert_eq!(sign_in(&browser, &mut authenticator).await.0, 200, "nothing was taken");
        // A second administrator, whose second factor is a passkey too, makes room.
        let (other, path) =
            invite(&rig.app, stranger, Role::Administrator, "mia@stranger.example").await;
        let mia = Browser::new(&rig.app.gateway);
        mia.post(&path, &[("password", PASSWORD)]).await.location();
        let reset = format!("mutation {{ resetUserMfa(id: \"{id}\") {{ inviteURL }} }}");
        assert_eq!(eve.graphql_as_page(&reset).await.code(), "CONFLICT", "mia has no factor yet");
        let mut passkey = Authenticator::new();
        let (options, ceremony) = begin(&mia, "/account/passkeys/options").await;
        let body = json!({ "ceremony": ceremony, "credential": passkey.create(&options) });
        assert_eq!(post(&mia, "/account/passkeys/register", &body).await.0, 200);
        eve.graphql_as_page(&reset).await.data();
        assert_eq!(signed_in(&mia).await, Some(other));
    }

    async fn reset_of_factors_overtakes_a_registration(rig: Rig) {
        let core = &rig.app.operator.core;
        let with = Dependencies {
            database: core.database.clone(),
            master: core.master.clone(),
            entropy: core.environment.entropy.clone(),
            clock: core.environment.clock.clone(),
            audit: core.audit.clone(),
            policy: Arc::new(NoSingleSignOn),
        };
        let passkeys = Passkeys::new(with, ORIGIN);
        let users = &rig.app.operator.users;
        let user = rig.ann.id.parse().unwrap();
        let generation = users.signed_in(user).await.unwrap().row.token_generation;
        let browser = PlainSecret::generate(&SystemEntropy);
        let request = RequestId::parse("registration").unwrap();
        let register = async |generation: i64, reset: bool| {
            let begun = passkeys.begin_registration(user, &browser).await.unwrap();
            let credential = Authenticator::new().create(&begun.options);
            if reset {
                let scope = rig.app.operator.scope(rig.app.world.north);
                let reset = users.reset_mfa(&scope, &rig.ann.id).await.unwrap();
                notes::note(reset.token.expose());
            }
            let registrant = Registrant { user, generation };
            let done = passkeys.finish_registration(
                registrant, &browser, begun.ceremony, credential, "Blue key", &request,
            );
            done.await.map(drop).map_err(|error| error.code())
        };
        assert_eq!(register(generation, false).await, Ok(()));
        assert_eq!(register(generation, true).await, Err(ErrorCode::Forbidden));
        assert!(passkeys.list(user).await.unwrap().is_empty());
    }
}
