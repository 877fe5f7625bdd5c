//! Forged requests: each form is taken from the gateway's own pages alone.

use form_urlencoded::Serializer;
use serde_json::json;
use tenant_gateway::roles::Role;

use crate::support::browser::{Browser, PASSWORD, enrol, invite};
use crate::support::{TestApp, both_databases};

/// Every form that a page posts, with its fields.
fn forms(invitation: &str) -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    let form =
        |path: &str, fields: &[(&'static str, &'static str)]| (path.to_owned(), fields.to_vec());
    vec![
        form("/login", &[("email", "ana@north.example"), ("password", PASSWORD)]),
        form("/login/code", &[("code", "123456")]),
        form("/logout", &[]),
        form(invitation, &[("password", PASSWORD)]),
        form("/account/sessions", &[("action", "end_all")]),
        form("/account/totp", &[("code", "123456")]),
        form("/device", &[("user_code", "BCDF-GHJK"), ("action", "approve")]),
    ]
}

both_databases! {
    async fn form_without_its_token_or_from_another_page_does_nothing(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let invitation = invite(&app, app.world.north, Role::Auditor, "bo@north.example").await.1;
        let token = browser.csrf().await;
        let stranger = Browser::new(&app.gateway).csrf().await;
        for (path, fields) in forms(&invitation) {
            let body = |csrf: &str| {
                let mut pairs = Serializer::new(String::new());
                pairs.extend_pairs(&fields).append_pair("csrf", csrf).finish()
            };
            let own = app.url.as_str();
            for (what, csrf, origin, site) in [
                ("no token", "", Some(own), Some("same-origin")),
                ("another browser's token", &*stranger, Some(own), Some("same-origin")),
                ("another site", &*token, Some("https://evil.example"), Some("cross-site")),
                ("a sandboxed page", &*token, Some("null"), Some("cross-site")),
                ("a neighbouring site", &*token, Some(own), Some("same-site")),
                ("no page at all", &*token, None, None),
            ] {
                let mut request = browser.bare_form(&path).body(body(csrf));
                for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                    if let Some(value) = value {
                        request = request.header(name, value);
                    }
                }
                let page = browser.send(request).await;
                assert_eq!(page.status, 403, "{path}: {what}");
                assert_eq!(page.heading(), "This form cannot be used", "{path}: {what}");
            }
        }
        assert_eq!(browser.session().await["signedIn"], json!(true), "nothing has happened");
        assert_eq!(browser.get(&invitation).await.status, 200, "the link is not used");
    }

    /// Login CSRF: an attacker who signs a victim in as themselves sees the actions of the victim.
    async fn sign_in_cannot_be_forged(app: TestApp) {
        let (eve, _) = enrol(&app, app.world.south, Role::Auditor, "eve@south.example").await;
        let victim = Browser::new(&app.gateway);
        victim.get("/login").await;
        let attacker = Browser::new(&app.gateway).csrf().await;
        let fields = [("email", &*eve.email), ("password", PASSWORD), ("csrf", &*attacker)];
        let forged = victim.send(victim.form("/login", &fields)).await;
        assert_eq!(forged.status, 403);
        assert!(victim.cookie("__Host-session").is_none());
    }

    /// The playground asks who is signed in, and a page is opened at the same moment: a cookie for the
    /// first request would replace that of the page, whose forms belong to it.
    async fn browser_gets_its_cookie_with_a_page_alone(app: TestApp) {
        let browser = Browser::new(&app.gateway);
        let asked = browser.get("/session").await;
        assert_eq!(asked.set_cookies(), Vec::<String>::new());
        let told: serde_json::Value = serde_json::from_str(&asked.text).unwrap();
        assert_eq!(told["csrfToken"], json!(null));
        assert_eq!(browser.get("/login").await.set_cookies().len(), 1);
        assert!(browser.session().await["csrfToken"].is_string());
    }

    async fn token_of_before_the_sign_in_is_worthless_after_it(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let browser = Browser::new(&app.gateway);
        let before = browser.csrf().await;
        browser.sign_in(&app, &ana, "").await;
        let old = browser.send(browser.form("/logout", &[("csrf", &before)])).await;
        assert_eq!(old.status, 403);
        assert_eq!(browser.session().await["signedIn"], json!(true));
    }

    async fn bad_forms_get_a_clear_page(app: TestApp) {
        let browser = Browser::new(&app.gateway);
        browser.get("/login").await;
        let send = async |body: String, media_type: &str| {
            let request = reqwest::Client::new().post(format!("{}/login", app.url));
            let request = request.header("content-type", media_type).header("origin", &app.url);
            browser.send(request.body(body)).await
        };
        let form = "application/x-www-form-urlencoded";
        for (body, media_type, status) in [
            ("{}".to_owned(), "application/json", 415),
            ("a=1&a=2".to_owned(), form, 400),
            ("email=%00".to_owned(), form, 400),
            ("email=%ff".to_owned(), form, 400),
            ("x".repeat(20_000), form, 413),
        ] {
            let page = send(body, media_type).await;
            assert_eq!(page.status, status, "{media_type}");
            assert!(!page.heading().is_empty());
        }
        let page = browser.get("/login?a=1&a=2").await;
        assert_eq!(page.status, 400);
        let deleted = reqwest::Client::new().delete(format!("{}/login", app.url)).send().await;
        assert_eq!(deleted.unwrap().status(), 405);
    }
}
