//! Single sign-on cannot be bypassed, and no site signs a browser in against the person's will.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::{Rig, set, signed_in};
use crate::support::both_databases;
use crate::support::browser::{Browser, PASSWORD, enrol, invite};

both_databases! {
    async fn one_time_link_opens_nothing_where_a_provider_decides(rig: Rig) {
        let north = rig.app.world.north;
        let (_, path) = invite(&rig.app, north, Role::Administrator, "ann@north.example").await;
        let browser = Browser::new(&rig.app.gateway);
        assert_eq!(browser.get(&path).await.status, 404);
        let set = browser.post(&path, &[("password", PASSWORD)]).await;
        assert_eq!((set.status, browser.cookie("__Host-session")), (404, None));
    }

    async fn emergency_account_sets_its_password_by_a_link(rig: Rig) {
        let north = rig.app.world.north;
        let (id, path) = invite(&rig.app, north, Role::Administrator, "eve@north.example").await;
        let emergency = json!({ "emergencyUserID": id });
        set(&rig.app, north, &rig.provider, emergency).await.data();
        let browser = Browser::new(&rig.app.gateway);
        assert_eq!(browser.get(&path).await.heading(), "Set your password");
    }

    async fn password_sign_in_under_way_ends_when_a_provider_decides(rig: Rig) {
        let south = rig.app.world.south;
        let (bob, _) = enrol(&rig.app, south, Role::Auditor, "bob@south.example").await;
        let browser = Browser::new(&rig.app.gateway);
        browser.password(&bob, "").await;
        set(&rig.app, south, &rig.provider, json!({ "domains": ["south.example"] })).await.data();
        let code = browser.post("/login/code", &[("code", &bob.code(&rig.app))]).await;
        assert_eq!(code.location(), "/login");
        assert_eq!(signed_in(&browser).await, None);
    }

    async fn link_of_another_site_leads_to_a_provider_only_after_a_click(rig: Rig) {
        let south = rig.app.world.south;
        let (bob, browser) = enrol(&rig.app, south, Role::Auditor, "bob@south.example").await;
        let url = format!("{}{}", browser.gateway.url, rig.link);
        for site in ["cross-site", "same-site"] {
            let request = browser.gateway.http.get(&url).header("sec-fetch-site", site);
            let page = browser.send(request).await;
            assert_eq!(page.status, 200, "{site}");
            assert!(page.heading().starts_with("Continue at "), "{}", page.heading());
            assert!(!page.text.contains("http-equiv"), "{}", page.text);
        }
        assert_eq!(signed_in(&browser).await, Some(bob.id));
        let location = browser.get(&rig.link).await.location().to_owned();
        assert!(location.starts_with(rig.provider.issuer()), "{location}");
    }

    async fn sign_in_at_a_provider_ends_the_browsers_session_of_before(rig: Rig) {
        let south = rig.app.world.south;
        let (_, browser) = enrol(&rig.app, south, Role::Auditor, "bob@south.example").await;
        let before = browser.cookie("__Host-session").unwrap();
        let ann = rig.invite("ann@north.example").await;
        let location = browser.get(&rig.link).await.location().to_owned();
        browser.get(&rig.provider.approve(&location)).await;
        assert_eq!(signed_in(&browser).await, Some(ann));
        let stolen = Browser::new(&rig.app.gateway);
        stolen.set_cookie("__Host-session", &before);
        assert_eq!(signed_in(&stolen).await, None);
    }

    async fn provider_of_a_closed_tenant_is_not_used(rig: Rig) {
        let north = rig.app.world.north;
        let browser = Browser::new(&rig.app.gateway);
        let location = browser.get(&rig.link).await.location().to_owned();
        let organization = rig.app.administrator(rig.app.world.organization).await;
        let close = "mutation($id: ID!) { updateTenant(tenantID: $id, tenantUpdate: { enabled: \
            false }) { id } }";
        organization.ask(close, json!({ "id": north })).await.data();
        assert_eq!(browser.get(&rig.link).await.status, 404);
        let by_email = browser.post("/login/sso", &[("email", "ann@north.example")]).await;
        assert_eq!(by_email.status, 422);
        let finished = browser.get(&rig.provider.approve(&location)).await;
        assert_ne!(finished.status, 303, "a sign-in under way ends too");
        assert_eq!(signed_in(&browser).await, None);
    }
}
