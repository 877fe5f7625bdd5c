//! Whom an e-mail address is sent to.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::{Rig, provider_of, set, signed_in};
use crate::support::both_databases;
use crate::support::browser::{Browser, Page, invite};

async fn by_email(rig: &Rig, email: &str) -> Page {
    Browser::new(&rig.app.gateway).post("/login/sso", &[("email", email)]).await
}

both_databases! {
    async fn address_leads_to_the_provider_of_its_domain_whoever_has_it(rig: Rig) {
        rig.invite("ann@north.example").await;
        for email in ["ann@north.example", "Nobody@North.Example"] {
            let page = by_email(&rig, email).await;
            assert_eq!(page.status, 200, "{}", page.text);
            assert!(page.text.contains(rig.provider.issuer()), "{}", page.text);
        }
        for email in ["ann@south.example", "ann@sub.north.example", "no address", ""] {
            let page = by_email(&rig, email).await;
            assert_eq!((page.status, page.heading()), (422, "You are not signed in"), "{email}");
        }
    }

    async fn domain_that_two_tenants_name_leads_nowhere_and_links_still_work(rig: Rig) {
        rig.invite("ann@north.example").await;
        let stranger = provider_of(&rig.app).await;
        let set = set(&rig.app, rig.app.world.stranger, &stranger, json!({})).await;
        let unknown = by_email(&rig, "ann@nowhere.example").await;
        let shared = by_email(&rig, "ann@north.example").await;
        assert_eq!((shared.status, shared.heading()), (unknown.status, unknown.heading()));
        assert!(signed_in(&rig.sign_in().await.0).await.is_some());
        // The stranger's provider finds nobody of the other tenant.
        let link = set.field("setIdentityProvider")["signInPath"].as_str().unwrap().to_owned();
        let browser = Browser::new(&rig.app.gateway);
        let location = browser.get(&link).await.location().to_owned();
        let page = browser.get(&stranger.approve(&location)).await;
        assert_eq!((page.status, signed_in(&browser).await), (403, None));
    }

    async fn domain_of_another_tenants_people_leads_nowhere(rig: Rig) {
        let stranger = provider_of(&rig.app).await;
        let fields = json!({ "domains": ["south.example"] });
        set(&rig.app, rig.app.world.stranger, &stranger, fields).await.data();
        let before = by_email(&rig, "bob@south.example").await;
        assert_eq!(before.status, 200, "nobody else has people there");
        invite(&rig.app, rig.app.world.south, Role::Auditor, "bob@south.example").await;
        assert_eq!(by_email(&rig, "bob@south.example").await.status, 422);
    }

    async fn disabled_provider_is_not_used(rig: Rig) {
        set(&rig.app, rig.app.world.north, &rig.provider, json!({ "enabled": false })).await.data();
        assert_eq!(by_email(&rig, "ann@north.example").await.status, 422);
        let browser = Browser::new(&rig.app.gateway);
        assert_eq!(browser.get(&rig.link).await.status, 404);
        let unknown = "/login/sso?provider=6f0dd1c2-6d1a-4ef4-8f5e-1d2f7c0f3c11";
        assert_eq!(browser.get(unknown).await.status, 404);
    }
}
