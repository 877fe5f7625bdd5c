//! Guessing at codes.

use serde_json::json;
use tenant_gateway::config::Config;
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use super::program::{decide, start};
use crate::oauth::asking::{form, rows};
use crate::support::browser::{Browser, enrol};
use crate::support::{Engine, TestApp, both_databases, notes};

/// A gateway behind a proxy that tells the addresses of programs.
async fn behind_a_proxy(engine: Engine, settings: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::with(engine, |config| {
        config.server.trusted_proxies = serde_json::from_value(json!(["127.0.0.0/8"])).unwrap();
        settings(config);
    })
    .await
}

/// Asks for a code from an address; the status.
async fn ask_from(app: &TestApp, address: &str, tenant: Option<TenantId>) -> u16 {
    let tenant = tenant.map(|tenant| tenant.to_string());
    let mut fields = vec![("client_id", "tool")];
    fields.extend(tenant.as_deref().map(|tenant| ("tenant", tenant)));
    let request = form(app, "/oauth2/device_authorization", &fields);
    let answer = app.send(request.header("x-forwarded-for", address)).await;
    if let Some(code) = answer.body["device_code"].as_str() {
        notes::note(code);
    }
    answer.status
}

/// Fills the table with undecided codes, each asked for once from an address of its own network.
async fn fill(app: &TestApp, count: u32, network: &str, tenant: Option<TenantId>) {
    let (id, hash) = match app.database.engine {
        Engine::Sqlite => ("randomblob(16)", "randomblob(32)"),
        Engine::Postgres => {
            ("gen_random_uuid()", "decode(md5(random()::text) || md5(random()::text), 'hex')")
        }
    };
    let tenant = match (tenant, app.database.engine) {
        (None, _) => "NULL".to_owned(),
        (Some(tenant), Engine::Sqlite) => format!("X'{}'", tenant.to_string().replace('-', "")),
        (Some(tenant), Engine::Postgres) => format!("'{tenant}'::uuid"),
    };
    let now = app.now().millis();
    let end = now + 600_000;
    let sql = format!(
        "INSERT INTO device_codes (id, device_code_hash, user_code_hash, program, tenant_id, scope,
            address, network, user_agent, status, poll_interval, created_at, expires_at)
        WITH RECURSIVE numbers(i) AS (
            SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}
        )
        SELECT {id}, {hash}, {hash}, 'tool', {tenant}, 'graphql', {network}, {network}, '',
            'PENDING', 5000, {now}, {end} FROM numbers"
    );
    app.operator.execute(&sql).await;
}

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

    async fn networks_of_one_site_share_a_bound(engine: Engine) {
        let app = behind_a_proxy(engine, |config| config.device.codes_per_address = 1).await;
        // A customer with a /48 has 65,536 networks.
        let mut given = 0;
        for host in 1..=9 {
            let address = format!("2001:db8:0:{host}00::1");
            given += u32::from(ask_from(&app, &address, None).await == 200);
        }
        assert_eq!(given, 8);
        assert_eq!(ask_from(&app, "2001:db8:1::1", None).await, 200, "another site");
        assert_eq!(ask_from(&app, "192.0.2.1", None).await, 200);
        assert_eq!(ask_from(&app, "192.0.2.1", None).await, 429);
        assert_eq!(ask_from(&app, "192.0.2.2", None).await, 200, "a neighbour");
    }

    async fn greedy_network_makes_room_when_all_codes_are_taken(engine: Engine) {
        let app = behind_a_proxy(engine, |_| ()).await;
        fill(&app, 1_000, "'203.0.113.' || (i / 32)", None).await;
        fill(&app, 19_000, "'2001:db8:' || (i / 32) || '::'", None).await;
        fill(&app, 1, "'198.51.100.1'", None).await;
        assert_eq!(ask_from(&app, "192.0.2.1", None).await, 200);
        assert_eq!(rows(&app, "device_codes WHERE network = '198.51.100.1'").await, 1);
        assert!(rows(&app, "device_codes").await <= 20_001);
    }

    async fn oldest_code_makes_room_among_networks_with_equally_many(engine: Engine) {
        let app = behind_a_proxy(engine, |_| ()).await;
        let north = app.world.north;
        fill(&app, 1_999, "'2001:db8:' || i || '::'", Some(north)).await;
        app.advance(1);
        fill(&app, 1, "'10.0.0.1'", Some(north)).await;
        assert_eq!(ask_from(&app, "2001:db9::1", Some(north)).await, 200);
        assert_eq!(rows(&app, "device_codes WHERE network = '10.0.0.1'").await, 1);
        assert_eq!(rows(&app, "device_codes").await, 2_000);
    }

    async fn codes_of_one_tenant_leave_room_for_others(engine: Engine) {
        let app = behind_a_proxy(engine, |_| ()).await;
        let north = app.world.north;
        fill(&app, 2_000, "'203.0.113.' || i", Some(north)).await;
        assert_eq!(ask_from(&app, "203.0.113.1", Some(north)).await, 429, "it has its share");
        assert_eq!(ask_from(&app, "203.0.113.1", Some(app.world.south)).await, 200);
        assert_eq!(ask_from(&app, "203.0.113.1", None).await, 200);
        assert_eq!(ask_from(&app, "192.0.2.1", Some(north)).await, 200, "it has none yet");
        let of_north = "device_codes WHERE tenant_id IS NOT NULL";
        assert_eq!(rows(&app, of_north).await, 2_001, "one made room, two were added");
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
