//! Guessing at codes.

use tenant_gateway::roles::Role;

use super::program::{decide, start};
use crate::support::browser::{Browser, enrol};
use crate::support::{TestApp, both_databases};

both_databases! {
    async fn codes_are_entered_only_by_people_who_are_signed_in(app: TestApp) {
        let (ana, _) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start(&app, &[]).await;
        let path = format!("/device?user_code={}", codes.user);
        let stranger = Browser::new(&app.gateway);
        assert!(stranger.get(&path).await.location().starts_with("/login?"));
        let fields = [("user_code", &*codes.user), ("action", "approve")];
        assert!(stranger.post("/device", &fields).await.location().starts_with("/login?"));
        stranger.password(&ana, "").await;
        assert!(stranger.get(&path).await.location().starts_with("/login/code?"));
        assert!(stranger.post("/device", &fields).await.location().starts_with("/login/code?"));
    }

    async fn guessing_is_bounded_by_address(app: TestApp) {
        let node = app
            .another_node_with(|config| config.device.wrong_codes_per_address = 3)
            .await;
        let (_, browser) = enrol(&node, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start(&node, &[]).await;
        for _ in 0..3 {
            let page = browser.get("/device?user_code=BCDF-GHJK").await;
            assert_eq!((page.status, page.heading()), (422, "Connect a device"));
        }
        assert_eq!(decide(&browser, &codes, "approve").await, "Connect a device", "even the right one");
        node.advance(61);
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
    }

    async fn guessing_is_bounded_by_session(app: TestApp) {
        let (ana, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start(&app, &[]).await;
        for _ in 0..20 {
            assert_eq!(browser.get("/device?user_code=BCDF-GHJK").await.status, 422);
            app.advance(10);
        }
        assert_eq!(decide(&browser, &codes, "approve").await, "Connect a device");
        let another = Browser::new(&app.gateway);
        another.sign_in(&app, &ana, "").await;
        assert_eq!(decide(&another, &codes, "approve").await, "Device connected");
    }

    async fn code_is_taken_however_it_is_typed(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start(&app, &[]).await;
        let typed = codes.user.to_lowercase().replace('-', "+");
        let page = browser.get(&format!("/device?user_code={typed}")).await;
        assert!(page.text.contains(&codes.user), "{}", page.text);
        for wrong in ["", "B", "%3Cb%3E", "BCDF-GHJKL"] {
            let page = browser.get(&format!("/device?user_code={wrong}")).await;
            assert!(!page.text.contains("<b>"), "{wrong}");
            assert_eq!(page.heading(), "Connect a device");
        }
    }
}
