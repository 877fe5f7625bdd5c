//! Refusals that tell nothing, invitations, recovery codes.

use serde_json::json;
use tenant_gateway::roles::Role;

use crate::oauth::asking::rows;
use crate::support::browser::{Browser, PASSWORD, code_of, enrol, invite, key_of};
use crate::support::{Engine, TestApp, both_databases};

both_databases! {
    async fn refusals_are_alike_whatever_their_cause(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let (off, _) = enrol(&app, app.world.north, Role::Auditor, "off@north.example").await;
        invite(&app, app.world.north, Role::Auditor, "new@north.example").await;
        let administrator = app.administrator(app.world.north).await;
        let disable = "mutation($id: ID!) { disableUser(id: $id) { id } }";
        administrator.ask(disable, json!({ "id": off.id })).await.data();
        let wrong = "another lantern over the harbour 8";
        let mut pages = Vec::new();
        for (email, password) in [
            ("ana@north.example", wrong),
            ("off@north.example", PASSWORD),
            ("new@north.example", PASSWORD),
            ("nobody@north.example", PASSWORD),
            ("no address", PASSWORD),
            ("ana@north.example", ""),
        ] {
            let browser = Browser::new(&app.gateway);
            let fields = [("email", email), ("password", password)];
            let page = browser.post("/login", &fields).await;
            assert!(browser.cookie("__Host-session").is_none(), "{email}");
            let csrf = browser.csrf().await;
            let text = page.text.replace(email, "EMAIL").replace(&csrf, "CSRF");
            let text = text.replace("/account", "");
            pages.push((page.status, text));
        }
        assert_eq!(pages[0].0, 422);
        assert!(pages.iter().all(|page| *page == pages[0]), "{pages:#?}");
        // Two of the pages above were wrong passwords of the same person.
        let browser = Browser::new(&app.gateway);
        for _ in 0..5 {
            let fields = [("email", "ana@north.example"), ("password", wrong)];
            browser.post("/login", &fields).await;
        }
        let slowed = browser.password(&ana, "").await;
        let csrf = browser.csrf().await;
        let text = slowed.text.replace("ana@north.example", "EMAIL").replace(&csrf, "CSRF");
        let last = Some((slowed.status, text.replace("/account", "")));
        assert_eq!(last.as_ref(), Some(&pages[0]), "a slowed person looks like a wrong password");
    }

    async fn invitation_sets_a_password_once(app: TestApp) {
        let (_, path) = invite(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let browser = Browser::new(&app.gateway);
        let weak = browser.post(&path, &[("password", "password1234")]).await;
        assert_eq!((weak.status, weak.heading()), (422, "Set your password"));
        let accepted = browser.post(&path, &[("password", PASSWORD)]).await;
        assert_eq!(accepted.location(), "/account/totp?return_to=%2Faccount");
        let late = Browser::new(&app.gateway);
        for page in [late.get(&path).await, late.post(&path, &[("password", PASSWORD)]).await] {
            assert_eq!((page.status, page.heading()), (404, "This link is not valid"));
        }
        let account = browser.get("/account").await;
        assert!(account.location().starts_with("/login/code?"), "the second factor is missing");
        let to_set_up = browser.get("/login/code").await;
        assert!(to_set_up.location().starts_with("/account/totp?"));
    }

    async fn second_factor_cannot_be_set_up_with_a_password_alone(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let browser = Browser::new(&app.gateway);
        browser.password(&ana, "").await;
        let page = browser.get("/account/totp").await;
        assert!(page.location().starts_with("/login/code?"), "{}", page.location());
        let forced = browser.post("/account/totp", &[("code", &ana.code(&app))]).await;
        assert!(forced.location().starts_with("/login/code?"));
    }

    async fn factor_is_replaced_only_soon_after_a_sign_in(app: TestApp) {
        let (ana, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        assert_eq!(browser.get("/account/totp").await.status, 200);
        app.advance(11 * 60);
        let page = browser.get("/account/totp").await;
        assert_eq!(page.location(), "/login?return_to=%2Faccount%2Ftotp");
        assert_eq!(browser.get("/login").await.heading(), "Sign in");
        assert_eq!(browser.sign_in(&app, &ana, "/account/totp").await, "/account/totp");
        assert_eq!(browser.get("/account/totp").await.status, 200);
    }

    async fn recovery_code_signs_in_once(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        assert_eq!(ana.recovery_codes.len(), 10);
        let code = &*ana.recovery_codes[3];
        for (location, status) in [(Some("/account"), 303), (None, 422)] {
            let browser = Browser::new(&app.gateway);
            browser.password(&ana, "").await;
            let page = browser.post("/login/code", &[("code", code)]).await;
            assert_eq!((page.status, page.header("location")), (status, location));
        }
    }

    async fn code_of_the_app_is_good_once(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let code = ana.code(&app);
        for status in [303, 422] {
            let browser = Browser::new(&app.gateway);
            browser.password(&ana, "").await;
            assert_eq!(browser.post("/login/code", &[("code", &code)]).await.status, status);
        }
    }

    async fn reloaded_page_and_wrong_code_leave_the_pending_key(app: TestApp) {
        let (_, path) = invite(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let browser = Browser::new(&app.gateway);
        browser.post(&path, &[("password", PASSWORD)]).await.location();
        let key = key_of(&browser.get("/account/totp").await.text);
        let page = browser.post("/account/totp", &[("code", "000000")]).await;
        assert_eq!((page.status, key_of(&page.text)), (422, key.clone()));
        for _ in 0..2 {
            assert_eq!(key_of(&browser.get("/account/totp").await.text), key, "reloaded");
        }
        assert_eq!(rows(&app, "user_totp").await, 1);
        let page = browser.post("/account/totp", &[("code", &code_of(&key, &app))]).await;
        assert_eq!(page.heading(), "Save your recovery codes", "{}", page.text);
    }

    /// A person who saw the key in another session could make codes once it is confirmed.
    async fn pending_key_of_one_session_is_not_shown_in_another(app: TestApp) {
        let (ana, first) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let second = Browser::new(&app.gateway);
        second.sign_in(&app, &ana, "").await;
        let seen = key_of(&first.get("/account/totp").await.text);
        assert_ne!(key_of(&second.get("/account/totp").await.text), seen);
        app.advance(30);
        let page = second.post("/account/totp", &[("code", &code_of(&seen, &app))]).await;
        assert_eq!(page.status, 422, "the key of the other session is gone");
    }
}

#[tokio::test]
async fn invitation_while_hashing_is_full_tells_when_to_try_again() {
    // As if others were hashed all the time.
    let app = TestApp::with(Engine::Sqlite, |config| config.users.hashes_at_once = 0).await;
    let (_, path) = invite(&app, app.world.north, Role::Auditor, "ana@north.example").await;
    let browser = Browser::new(&app.gateway);
    let page = browser.post(&path, &[("password", PASSWORD)]).await;
    assert_eq!((page.status, page.header("retry-after")), (429, Some("5")), "{}", page.text);
}
