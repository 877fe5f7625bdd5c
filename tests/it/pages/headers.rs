//! Headers, cookies and redirects.

use tenant_gateway::roles::Role;

use crate::support::browser::{Browser, enrol, invite};
use crate::support::{TestApp, both_databases};

/// Every page that shows something without a session.
const OPEN: [&str; 4] = ["/login", "/invite/unknown", "/session", "/login?return_to=/device"];

/// Every page that needs one.
const CLOSED: [&str; 5] =
    ["/account", "/account/totp", "/device", "/device?user_code=BCDF-GHJK", "/login/code"];

both_databases! {
    async fn no_page_can_be_framed_kept_or_made_to_load_anything(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let invitation = invite(&app, app.world.north, Role::Auditor, "bo@north.example").await.1;
        let paths = OPEN.into_iter().chain(CLOSED).chain(["/logout", &*invitation]);
        for path in paths {
            let page = browser.get(path).await;
            let policy = page.header("content-security-policy").unwrap_or_default();
            for rule in [
                "default-src 'none'",
                "frame-ancestors 'none'",
                "form-action 'self'",
                "base-uri 'none'",
            ] {
                assert!(policy.contains(rule), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(page.header("x-frame-options"), Some("DENY"), "{path}");
            assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
            assert_eq!(page.header("referrer-policy"), Some("same-origin"), "{path}");
            assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert!(page.header("access-control-allow-origin").is_none(), "{path}");
        }
    }

    async fn refused_requests_of_scripts_have_the_headers_of_pages(app: TestApp) {
        let browser = Browser::new(&app.gateway);
        let url = format!("{}/login/passkey/options", app.gateway.url);
        let refused = [
            (415, app.gateway.http.post(&url).body("email=a")),
            (403, app.gateway.http.post(&url).json(&serde_json::json!({}))),
        ];
        for (status, request) in refused {
            let answer = browser.send(request).await;
            assert_eq!(answer.status, status, "{}", answer.text);
            let policy = answer.header("content-security-policy").unwrap_or_default();
            assert!(policy.contains("default-src 'none'"), "{status}: {policy}");
            assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{status}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{status}");
            assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{status}");
        }
    }

    async fn cookies_are_for_this_host_over_tls_and_not_for_scripts(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let browser = Browser::new(&app.gateway);
        let mut seen = browser.get("/login").await.set_cookies();
        assert_eq!(seen.len(), 1, "one cookie before anybody signs in");
        seen.extend(browser.password(&ana, "").await.set_cookies());
        let code = ana.code(&app);
        seen.extend(browser.post("/login/code", &[("code", &code)]).await.set_cookies());
        seen.extend(browser.post("/logout", &[]).await.set_cookies());
        assert_eq!(seen.len(), 4, "{seen:?}");
        for cookie in seen {
            assert!(cookie.starts_with("__Host-"), "{cookie}");
            for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
    }

    async fn every_page_without_a_session_leads_to_the_sign_in_and_back(app: TestApp) {
        let browser = Browser::new(&app.gateway);
        for path in CLOSED {
            let page = browser.get(path).await;
            let expected: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
            let expected = match path {
                "/login/code" => "/login?return_to=%2Faccount".to_owned(),
                _ => format!("/login?return_to={expected}"),
            };
            assert_eq!(page.location(), expected);
        }
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let back = browser.sign_in(&app, &ana, "/device?user_code=BCDF-GHJK").await;
        assert_eq!(back, "/device?user_code=BCDF-GHJK");
    }

    async fn sign_in_leads_to_no_other_site(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        for elsewhere in [
            "https://evil.example/",
            "//evil.example/account",
            "/\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "/logout",
        ] {
            let browser = Browser::new(&app.gateway);
            let shown: String = form_urlencoded::byte_serialize(elsewhere.as_bytes()).collect();
            let page = browser.get(&format!("/login?return_to={shown}")).await;
            assert!(!page.text.contains("evil"), "{elsewhere}");
            assert_eq!(browser.sign_in(&app, &ana, elsewhere).await, "/account", "{elsewhere}");
            app.advance(30);
        }
    }

    async fn files_are_served_under_the_hash_of_their_content(app: TestApp) {
        let browser = Browser::new(&app.gateway);
        let page = browser.get("/login").await;
        let (_, rest) = page.text.split_once("href=\"/assets/").expect("a stylesheet");
        let name = rest.split_once('"').expect("a quote").0;
        let file = browser.get(&format!("/assets/{name}")).await;
        assert_eq!((file.status, file.header("content-type")), (200, Some("text/css; charset=utf-8")));
        assert!(file.header("cache-control").unwrap().contains("immutable"));
        assert_eq!(browser.get("/assets/pages.css").await.status, 404);
        assert_eq!(browser.get("/assets/..%2fmod.rs").await.status, 404);
    }

    async fn pages_below_a_path_lead_to_it(app: TestApp) {
        let node = app
            .another_node_with(|config| {
                config.server.public_url = Some("https://gateway.example/tg".to_owned());
            })
            .await;
        let browser = Browser::new(&node.gateway);
        assert_eq!(browser.get("/account").await.location(), "/tg/login?return_to=%2Faccount");
        let page = browser.get("/login").await;
        assert!(page.text.contains("action=\"/tg/login\""), "{}", page.text);
        // A proxy sends the public name as the origin and another host.
        let csrf = browser.csrf().await;
        let fields = [("email", "a@b.example"), ("password", "x"), ("csrf", &*csrf)];
        let form = browser.bare_form("/login").body(
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish(),
        );
        let answer = browser.send(form.header("origin", "https://gateway.example")).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
    }
}
