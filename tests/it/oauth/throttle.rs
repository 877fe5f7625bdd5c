//! Throttling of failed authentications.

use serde_json::json;
use tenant_gateway::config::Config;
use tenant_gateway::roles::Role;

use super::asking::{GRANT, INTROSPECT, form};
use crate::support::{Answer, Credentials, TestApp, both_databases};

fn limits(per_client: u32, per_address: u32) -> impl FnOnce(&mut Config) {
    move |config| {
        config.auth.failures_per_client = per_client;
        config.auth.failures_per_address = per_address;
    }
}

fn named(client_id: &str, secret: &str) -> Credentials {
    Credentials { id: String::new(), client_id: client_id.to_owned(), secret: secret.to_owned() }
}

async fn from(app: &TestApp, address: &str, credentials: &Credentials) -> u16 {
    let request = app.token_request(&[GRANT]).header("authorization", credentials.basic());
    app.send(request.header("x-forwarded-for", address)).await.status
}

fn seconds(answer: &Answer) -> u64 {
    assert_eq!((answer.status, &answer.body["error"]), (429, &json!("temporarily_unavailable")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer
        .header("retry-after")
        .expect("a header")
        .parse()
        .expect("whole seconds, or the SDK gives up at once")
}

both_databases! {
    async fn fifteen_failures_a_minute_are_answered(engine: Engine) {
        let app = TestApp::with(engine, |config| config.auth = Config::default().auth).await;
        let known = app.credentials(app.world.north, Role::Auditor).await;
        let other = app.credentials(app.world.north, Role::Auditor).await;
        let wrong = named(&known.client_id, &other.secret);
        for _ in 0..15 {
            assert!(!app.works(&wrong).await);
        }
        let refused = app.ask_token(&wrong).await;
        assert_eq!(seconds(&refused), 60);
        assert_eq!(
            app.ask_token(&known).await.learnt(),
            refused.learnt(),
            "a correct secret is not confirmed either"
        );
        app.advance(45);
        assert_eq!(seconds(&app.ask_token(&known).await), 15);
        app.advance(15);
        assert!(app.works(&known).await);
    }

    async fn known_and_unknown_clients_look_alike(engine: Engine) {
        let app = TestApp::with(engine, limits(3, 1000)).await;
        let known = app.credentials(app.world.north, Role::Auditor).await;
        let other = app.credentials(app.world.north, Role::Auditor).await;
        let mut learnt = Vec::new();
        for client_id in [&*known.client_id, "nobody"] {
            let wrong = named(client_id, &other.secret);
            for _ in 0..3 {
                assert!(!app.works(&wrong).await);
            }
            learnt.push(app.ask_token(&wrong).await.learnt());
        }
        assert_eq!(learnt[0], learnt[1]);
        assert_eq!(learnt[0].0, 429);
    }

    async fn failures_at_all_endpoints_share_one_throttle(engine: Engine) {
        let app = TestApp::with(engine, limits(3, 1000)).await;
        let wrong = named("nobody", "wrong");
        for _ in 0..3 {
            let request =
                form(&app, INTROSPECT, &[("token", "x")]).header("authorization", wrong.basic());
            assert_eq!(app.send(request).await.status, 401);
        }
        assert_eq!(seconds(&app.ask_token(&wrong).await), 60);
    }

    async fn guessing_address_is_blocked_except_for_its_known_clients(engine: Engine) {
        let app = TestApp::with(engine, limits(1000, 5)).await;
        let known = app.credentials(app.world.north, Role::Auditor).await;
        let late = app.credentials(app.world.north, Role::Auditor).await;
        assert!(app.works(&known).await);
        for guess in 0..5 {
            assert!(!app.works(&named(&format!("guess-{guess}"), &known.secret)).await);
        }
        assert_eq!(seconds(&app.ask_token(&late).await), 60);
        assert!(app.works(&known).await, "it authenticated from this address before");
        app.advance(60);
        assert!(app.works(&late).await);
    }

    async fn failed_sign_ins_from_another_address_lock_nobody_out(engine: Engine) {
        let app = TestApp::with(engine, |config| {
            limits(3, 3)(config);
            config.server.trusted_proxies = serde_json::from_value(json!(["127.0.0.1"])).unwrap();
        })
        .await;
        let known = app.credentials(app.world.north, Role::Auditor).await;
        let other = app.credentials(app.world.north, Role::Auditor).await;
        let wrong = named(&known.client_id, &other.secret);
        for _ in 0..3 {
            assert_eq!(from(&app, "192.0.2.1", &wrong).await, 401);
        }
        assert_eq!(from(&app, "192.0.2.1", &known).await, 429);
        assert_eq!(from(&app, "192.0.2.2", &known).await, 200);
        assert_eq!(
            from(&app, "192.0.2.2, 192.0.2.1", &known).await,
            429,
            "the proxy's entry counts, not the caller's"
        );
    }

    async fn untrusted_proxy_does_not_choose_client_address(engine: Engine) {
        let app = TestApp::with(engine, limits(3, 1000)).await;
        let wrong = named("nobody", "wrong");
        for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            assert_eq!(from(&app, address, &wrong).await, 401);
        }
        assert_eq!(from(&app, "192.0.2.4", &wrong).await, 429, "there is no trusted proxy");
    }
}
