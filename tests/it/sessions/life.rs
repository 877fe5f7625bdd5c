//! From the sign-in to the end.

use serde_json::json;
use tenant_gateway::error::ErrorCode;
use tenant_gateway::roles::Role;

use super::{new_session, origin};
use crate::support::browser::{Browser, enrol};
use crate::support::master_key::node_with_new_key_alone;
use crate::support::{TestApp, both_databases};

both_databases! {
    async fn password_alone_opens_nothing_and_second_factor_completes_it(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let browser = Browser::new(&app.gateway);
        let first = browser.password(&ana, "").await;
        assert_eq!(first.location(), "/login/code?return_to=%2Faccount");
        assert_eq!(browser.session().await["signedIn"], json!(false));
        assert!(browser.get("/account").await.location().starts_with("/login/code?"));
        let wrong = browser.post("/login/code", &[("code", "000000")]).await;
        assert_eq!((wrong.status, wrong.heading()), (422, "Enter your code"));
        let right = browser.post("/login/code", &[("code", &ana.code(&app))]).await;
        assert_eq!(right.location(), "/account");
        let session = browser.session().await;
        assert_eq!(session["signedIn"], json!(true));
        assert_eq!(session["user"]["id"], json!(ana.id));
        let account = browser.get("/account").await;
        assert_eq!((account.status, account.heading()), (200, "Your account"));
        assert!(account.text.contains("ana@north.example"), "{}", account.text);
    }

    async fn authenticator_app_is_resealed_when_the_master_key_changes(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let node = node_with_new_key_alone(&app, |_| ()).await;
        let browser = Browser::new(&node.gateway);
        assert_eq!(browser.sign_in(&node, &ana, "/account").await, "/account");
        assert_eq!(browser.session().await["user"]["id"], json!(ana.id));
    }

    async fn cookie_of_before_the_second_factor_is_worthless_after_it(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let browser = Browser::new(&app.gateway);
        // A session that somebody planted before is not taken over either.
        let planted = enrol(&app, app.world.south, Role::Auditor, "eve@south.example").await.1;
        let planted = planted.cookie("__Host-session").unwrap();
        browser.get("/login").await;
        browser.set_cookie("__Host-session", &planted);
        browser.password(&ana, "").await;
        let before = browser.cookie("__Host-session").unwrap();
        assert_ne!(before, planted);
        let code = ana.code(&app);
        assert_eq!(browser.post("/login/code", &[("code", &code)]).await.location(), "/account");
        let after = browser.cookie("__Host-session").unwrap();
        assert_ne!(before, after);
        let fixed = Browser::new(&app.gateway);
        for old in [&before, &planted] {
            fixed.set_cookie("__Host-session", old);
            assert_eq!(fixed.session().await["signedIn"], json!(false));
        }
    }

    async fn session_ends_when_idle_and_when_old(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        for _ in 0..3 {
            app.advance(25 * 60);
            assert_eq!(browser.session().await["signedIn"], json!(true), "used in between");
        }
        let idle = browser.at(&app.gateway);
        app.advance(31 * 60);
        assert_eq!(idle.session().await["signedIn"], json!(false));
        let location = idle.get("/account").await.location().to_owned();
        assert_eq!(location, "/login?return_to=%2Faccount");

        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "bo@north.example").await;
        let mut hours = 0.0;
        while browser.session().await["signedIn"] == json!(true) {
            app.advance(15 * 60);
            hours += 0.25;
            assert!(hours <= 12.25, "it never ends");
        }
        assert!(hours >= 11.75, "{hours}");
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(crate::oauth::asking::rows(&app, "sessions").await, 0, "forgotten");
    }

    async fn session_survives_a_restart_and_holds_at_every_node(app: TestApp) {
        let (ana, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let second = app.another_node().await;
        let elsewhere = browser.at(&second.gateway);
        assert_eq!(elsewhere.session().await["user"]["id"], json!(ana.id));
        let answer = elsewhere.post("/logout", &[]).await;
        assert_eq!(answer.location(), "/login");
        assert_eq!(browser.session().await["signedIn"], json!(false), "ended everywhere at once");
    }

    async fn signing_out_everywhere_ends_every_session(app: TestApp) {
        let (ana, first) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let second = Browser::new(&app.gateway);
        assert_eq!(second.sign_in(&app, &ana, "").await, "/account");
        let page = second.get("/account").await;
        assert!(page.text.contains("Sign out everywhere"), "{}", page.text);
        let ended = second.post("/account/sessions", &[("action", "end_all")]).await;
        assert_eq!(ended.location(), "/login");
        for browser in [&first, &second] {
            assert_eq!(browser.session().await["signedIn"], json!(false));
        }
    }

    async fn person_ends_own_sessions_and_nobody_elses(app: TestApp) {
        let (ana, first) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let second = Browser::new(&app.gateway);
        second.sign_in(&app, &ana, "").await;
        let (_, stranger) = enrol(&app, app.world.south, Role::Auditor, "eve@south.example").await;
        let list = first.graphql_as_page("{ sessions { id userAgent address isActive } }").await;
        let sessions = list.field("sessions").as_array().unwrap().clone();
        assert_eq!(sessions.len(), 2);
        assert!(sessions.iter().all(|session| session["address"] == json!("127.0.0.1")));
        for session in &sessions {
            let id = session["id"].as_str().unwrap();
            let fields = [("action", "end"), ("session", id)];
            assert_eq!(stranger.post("/account/sessions", &fields).await.status, 303);
        }
        assert_eq!(first.session().await["signedIn"], json!(true), "a stranger ends nothing");
        let own = own_session(&second, &sessions).await;
        let fields = [("action", "end"), ("session", &*own)];
        first.post("/account/sessions", &fields).await;
        assert_eq!(second.session().await["signedIn"], json!(false));
        assert_eq!(first.session().await["signedIn"], json!(true));
    }

    async fn sign_in_that_a_sign_out_overtakes_begins_no_session(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let user = ana.id.parse().unwrap();
        let authenticated = new_session(&app, user).await;
        app.operator.users.sign_out_everywhere(user, &origin(&app)).await.unwrap();
        let begun = app.operator.core.sessions.begin(&authenticated, &origin(&app)).await;
        assert_eq!(begun.unwrap_err().code(), ErrorCode::Unauthenticated);
        assert!(app.operator.core.sessions.list(user).await.unwrap().is_empty());
    }

    async fn sign_in_by_password_alone_ends_no_session(app: TestApp) {
        let node = app.another_node_with(|config| config.sessions.per_user = 2).await;
        let (ana, first) = enrol(&node, app.world.north, Role::Auditor, "ana@north.example").await;
        for _ in 0..3 {
            node.advance(90);
            Browser::new(&node.gateway).password(&ana, "").await;
        }
        assert_eq!(first.session().await["signedIn"], json!(true));
    }

    async fn further_session_ends_the_one_used_longest_ago(app: TestApp) {
        let node = app.another_node_with(|config| config.sessions.per_user = 2).await;
        let (ana, first) = enrol(&node, app.world.north, Role::Auditor, "ana@north.example").await;
        let [second, third] = [(); 2].map(|()| Browser::new(&node.gateway));
        second.sign_in(&node, &ana, "").await;
        node.advance(90);
        assert_eq!(first.session().await["signedIn"], json!(true), "used last");
        third.sign_in(&node, &ana, "").await;
        let signed_in = [&first, &second, &third].map(async |browser| {
            browser.session().await["signedIn"] == json!(true)
        });
        let signed_in = futures_util::future::join_all(signed_in).await;
        assert_eq!(signed_in, [true, false, true]);
    }
}

/// The id of a browser's session: the one that the account page marks as its own.
async fn own_session(browser: &Browser, sessions: &[serde_json::Value]) -> String {
    let page = browser.get("/account").await;
    let mut ids = sessions.iter().map(|session| session["id"].as_str().unwrap());
    // The own one has no button, since signing out is one.
    let own = ids.find(|id| !page.text.contains(&format!("value=\"{id}\"")));
    own.expect("one is the browser's own").to_owned()
}
