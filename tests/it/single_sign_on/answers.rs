//! Answers of providers that must not sign anybody in.

use serde_json::json;

use super::{Rig, provider_of, set, signed_in};
use crate::support::both_databases;
use crate::support::browser::Browser;

both_databases! {
    async fn forged_id_token_is_refused(rig: Rig) {
        rig.invite("ann@north.example").await;
        let past = rig.app.now().seconds() - 1;
        for (forged, reason) in [
            (json!({ "nonce": "the nonce of another sign-in" }), "id_token_nonce"),
            (json!({ "aud": "another-client" }), "id_token_audience"),
            (json!({ "aud": ["tenant-gateway", "another-client"] }), "id_token_audience"),
            (json!({ "iss": "http://127.0.0.1:1" }), "id_token_issuer"),
            (json!({ "exp": past }), "id_token_expired"),
        ] {
            rig.provider.script(|script| script.forged = forged.clone());
            let (browser, page) = rig.sign_in().await;
            assert_eq!(page.status, 403, "{forged}: {}", page.text);
            assert_eq!(signed_in(&browser).await, None, "{forged}");
            assert_eq!(rig.reasons().await.first().map(String::as_str), Some(reason));
        }
        rig.provider.script(|script| script.forged = json!({}));
        let (browser, _) = rig.sign_in().await;
        assert!(signed_in(&browser).await.is_some(), "the honest token is accepted");
    }

    async fn id_token_of_an_unpublished_key_is_refused(rig: Rig) {
        rig.invite("ann@north.example").await;
        rig.provider.script(|script| script.signs_with_unknown_key = true);
        let (browser, page) = rig.sign_in().await;
        assert_eq!((page.status, signed_in(&browser).await), (403, None));
        assert_eq!(rig.reasons().await, ["id_token_signature"]);
    }

    async fn rotated_key_is_fetched_when_a_token_needs_it(rig: Rig) {
        rig.invite("ann@north.example").await;
        rig.sign_in().await;
        rig.provider.rotate_key();
        rig.app.advance(61);
        let (browser, page) = rig.sign_in().await;
        assert!(signed_in(&browser).await.is_some(), "{}", page.text);
    }

    async fn answer_works_once(rig: Rig) {
        rig.invite("ann@north.example").await;
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let callback = rig.provider.approve(&location);
        let first = browser.get(&callback).await;
        assert_eq!(first.location(), "/account");
        let second = browser.get(&callback).await;
        assert_eq!((second.status, second.heading()), (400, "You are not signed in"));
    }

    async fn answer_works_in_the_browser_that_the_sign_in_began_in(rig: Rig) {
        rig.invite("ann@north.example").await;
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let callback = rig.provider.approve(&location);
        let victim = Browser::new(&rig.app.gateway);
        victim.get("/login").await;
        let planted = victim.get(&callback).await;
        assert_eq!((planted.status, signed_in(&victim).await), (400, None));
        assert_eq!(browser.get(&callback).await.location(), "/account", "it is still good there");
    }

    async fn answer_works_on_another_node_and_not_after_ten_minutes(rig: Rig) {
        rig.invite("ann@north.example").await;
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let node = rig.app.another_node_with(|config| {
            config.upstream.allow_private_addresses = true;
        })
        .await;
        let elsewhere = browser.at(&node.gateway);
        assert_eq!(elsewhere.get(&rig.provider.approve(&location)).await.location(), "/account");
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let callback = rig.provider.approve(&location);
        rig.app.advance(601);
        assert_eq!(browser.get(&callback).await.status, 400);
    }

    async fn answer_of_another_provider_is_refused(rig: Rig) {
        rig.invite("ann@north.example").await;
        for issuer in ["http://127.0.0.1:1", ""] {
            rig.provider.script(|script| script.callback_issuer = Some(issuer.to_owned()));
            let (browser, page) = rig.sign_in().await;
            assert_eq!((page.status, signed_in(&browser).await), (403, None), "{issuer}");
        }
        // A provider that names itself must do so.
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let callback = rig.provider.approve(&location);
        let (unnamed, _) = callback.split_once("&iss=").expect("it names itself");
        let page = browser.get(unnamed).await;
        assert_eq!((page.status, signed_in(&browser).await), (403, None));
        assert!(!rig.provider.take_calls().contains(&"token".to_owned()), "no code was redeemed");
    }

    async fn answer_of_a_provider_that_does_not_name_itself_comes_by_its_own_path(rig: Rig) {
        rig.invite("ann@north.example").await;
        let south = provider_of(&rig.app).await;
        for provider in [&rig.provider, &south] {
            provider.script(|script| script.names_itself = false);
        }
        let fields = json!({ "domains": ["south.example"] });
        let set = set(&rig.app, rig.app.world.south, &south, fields).await;
        let link = set.field("setIdentityProvider")["signInPath"].as_str().unwrap().to_owned();
        let (_, other) = link.split_once("provider=").unwrap();
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let callback = rig.provider.approve(&location);
        let (path, query) = callback.split_once('?').expect("parameters");
        assert_ne!(path, "/login/sso/callback");
        for wrong in [format!("/login/sso/callback/{other}"), "/login/sso/callback".to_owned()] {
            let browser = Browser::new(&rig.app.gateway);
            let location = rig.depart(&browser).await;
            let callback = rig.provider.approve(&location);
            let (_, query) = callback.split_once('?').expect("parameters");
            let page = browser.get(&format!("{wrong}?{query}")).await;
            assert_eq!((page.status, signed_in(&browser).await), (403, None), "{wrong}");
        }
        assert_eq!(browser.get(&format!("{path}?{query}")).await.location(), "/account");
    }

    async fn declined_sign_in_ends_cleanly(rig: Rig) {
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let callback = rig.provider.approve(&location);
        let parameters: Vec<_> =
            callback.split('&').filter(|part| !part.contains("code=")).collect();
        let declined = format!(
            "/login/sso/callback?error=access_denied&{}",
            parameters.join("&")
        );
        let page = browser.get(&declined).await;
        assert_eq!((page.status, page.heading()), (403, "You are not signed in"));
    }

    async fn path_to_return_to_is_one_of_the_gateway(rig: Rig) {
        rig.invite("ann@north.example").await;
        for (wanted, led) in [
            ("%2Fdevice%3Fuser_code%3DBCDF-GHJK", "/device?user_code=BCDF-GHJK"),
            ("%2F%2Fevil.example%2Faccount", "/account"),
            ("https%3A%2F%2Fevil.example", "/account"),
        ] {
            let browser = Browser::new(&rig.app.gateway);
            let path = format!("{}&return_to={wanted}", rig.link);
            let location = browser.get(&path).await.location().to_owned();
            assert_eq!(browser.get(&rig.provider.approve(&location)).await.location(), led);
        }
    }
}
