//! Providers that fail, and addresses that must not be called.

use serde_json::json;

use super::{Rig, SET, input, signed_in};
use crate::support::browser::Browser;
use crate::support::{Engine, TestApp, both_databases};

both_databases! {
    async fn provider_that_is_down_is_told_on_a_page_with_the_way_back(rig: Rig) {
        rig.provider.script(|script| script.is_down = true);
        let browser = Browser::new(&rig.app.gateway);
        let page = browser.get(&rig.link).await;
        assert_eq!((page.status, page.heading()), (502, "You are not signed in"));
        assert!(page.text.contains("/login\""), "{}", page.text);
        assert_eq!(browser.get("/login").await.heading(), "Sign in");
    }

    async fn provider_that_goes_down_on_the_way_signs_nobody_in(rig: Rig) {
        rig.invite("ann@north.example").await;
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let callback = rig.provider.approve(&location);
        rig.provider.script(|script| script.is_down = true);
        let page = browser.get(&callback).await;
        assert_eq!((page.status, signed_in(&browser).await), (502, None));
    }

    async fn metadata_is_read_once_in_ten_minutes(rig: Rig) {
        rig.invite("ann@north.example").await;
        rig.provider.take_calls();
        rig.sign_in().await;
        rig.sign_in().await;
        let calls = rig.provider.take_calls();
        assert_eq!(calls.iter().filter(|call| *call == "metadata").count(), 1, "{calls:?}");
        rig.app.advance(601);
        rig.sign_in().await;
        assert!(rig.provider.take_calls().contains(&"metadata".to_owned()));
    }

    async fn network_that_begins_too_many_sign_ins_has_to_wait(rig: Rig) {
        let browser = Browser::new(&rig.app.gateway);
        for _ in 0..120 {
            rig.depart(&browser).await;
        }
        rig.app.advance(20);
        let by_email = browser.post("/login/sso", &[("email", "ann@north.example")]).await;
        for page in [browser.get(&rig.link).await, by_email] {
            assert_eq!((page.status, page.heading()), (429, "You are not signed in"));
            assert_eq!(page.header("retry-after"), Some("40"));
        }
        rig.app.advance(40);
        rig.depart(&browser).await;
    }

    async fn test_of_a_provider_tells_what_is_wrong(rig: Rig) {
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let test = "mutation { testIdentityProvider { ok problem namesItself } }";
        let tested = administrator.ask(test, json!({})).await.field("testIdentityProvider");
        assert_eq!(tested, json!({ "ok": true, "problem": null, "namesItself": true }));
        rig.provider.script(|script| script.is_down = true);
        let tested = administrator.ask(test, json!({})).await.field("testIdentityProvider");
        let problem = "the provider's response is not valid: metadata or keys, HTTP status 503";
        assert_eq!(tested, json!({ "ok": false, "problem": problem, "namesItself": null }));
    }
}

#[tokio::test]
async fn private_address_of_a_provider_needs_the_operators_leave() {
    let app = TestApp::with(Engine::Sqlite, |_| ()).await;
    let provider = super::provider_of(&app).await;
    let administrator = app.administrator(app.world.north).await;
    let input = input(&provider, &json!({}));
    let answer = administrator.ask(SET, json!({ "input": input })).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    assert!(answer.message().starts_with("issuer: "), "{}", answer.message());
    assert!(provider.take_calls().is_empty());
}
