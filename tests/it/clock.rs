//! Nodes with wrong clocks.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::clock::{Clock, ManualClock, SystemClock};
use tenant_gateway::roles::Role;

use crate::oauth::asking::{INTROSPECT, form, revoke, rows};
use crate::support::app::START;
use crate::support::{Answer, Caller, TestApp, TestDatabase, both_databases};

/// A node with its own clock.
async fn node(app: &TestApp) -> (TestApp, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(START));
    (app.another_node_at(clock.clone()).await, clock)
}

async fn ready(app: &TestApp) -> Answer {
    app.send(app.http.get(format!("{}/health/ready", app.url))).await
}

async fn graphql(caller: &Caller) -> Answer {
    caller.ask("{ __typename }", json!({})).await
}

both_databases! {
    async fn node_with_clock_set_back_refuses_deleted_client_in_time(app: TestApp) {
        let (node, clock) = node(&app).await;
        let administrator = app.administrator(app.world.north).await;
        let deleted = app.caller(app.world.north, Role::Auditor).await;
        let revoked = app.caller(app.world.north, Role::Auditor).await;
        let there = [deleted.at(&node.gateway), revoked.at(&node.gateway)];
        for caller in &there {
            assert_eq!(caller.status().await, 200);
        }
        assert!(node.works(&deleted.credentials).await);
        administrator
            .ask(
                "mutation($id: ID!) { deleteClient(id: $id) { id } }",
                json!({ "id": deleted.id() }),
            )
            .await
            .data();
        assert_eq!(revoke(&app, &revoked.credentials, &revoked.token).await, 200);
        clock.set_back(Duration::from_secs(55));
        for clock in [&clock, &app.clock] {
            clock.advance(Duration::from_secs(3));
        }
        for caller in &there {
            assert_eq!(caller.status().await, 401);
        }
        assert!(!node.works(&deleted.credentials).await);
    }

    async fn node_with_clock_hours_ahead_purges_no_live_rows(app: TestApp) {
        let (node, clock) = node(&app).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(revoke(&app, &robot.credentials, &robot.token).await, 200);
        clock.set_ahead(Duration::from_hours(24 * 60));
        node.background_jobs.run_once().await.unwrap();
        node.background_jobs.prune_audit(Duration::from_hours(24)).await.unwrap();
        assert_eq!((rows(&app, "revoked_tokens").await, rows(&app, "signing_keys").await), (1, 1));
        assert!(rows(&app, "audit_log").await > 0);
        app.advance(5);
        assert_eq!(robot.status().await, 401);
    }

    async fn tokens_of_node_with_clock_off_are_valid_everywhere(app: TestApp) {
        let (node, clock) = node(&app).await;
        clock.set_ahead(Duration::from_secs(59));
        let robot = node.caller(app.world.north, Role::Auditor).await;
        assert_eq!(robot.at(&app.gateway).status().await, 200);
        clock.set_back(Duration::from_secs(118));
        let robot = robot.again().await;
        assert_eq!(robot.at(&app.gateway).status().await, 200);
        for clock in [&clock, &app.clock] {
            clock.advance(Duration::from_secs(3599));
        }
        assert_eq!((robot.status().await, robot.at(&app.gateway).status().await), (200, 200));
        for clock in [&clock, &app.clock] {
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(
            (robot.status().await, robot.at(&app.gateway).status().await),
            (401, 401),
            "it expires on both nodes at once"
        );
    }

    async fn node_with_clock_off_reports_it(app: TestApp) {
        let (node, clock) = node(&app).await;
        clock.set_ahead(Duration::from_secs(5));
        assert_eq!(
            (ready(&node).await.status, &ready(&node).await.body["checks"]["clock"]),
            (200, &json!("ok"))
        );
        clock.set_ahead(Duration::from_millis(1));
        for _ in 0..2 {
            let skewed = ready(&node).await;
            assert_eq!((skewed.status, &skewed.body["status"]), (200, &json!("degraded")));
            assert_eq!(skewed.body["checks"]["clock"], "degraded");
            clock.set_back(Duration::from_millis(10_002));
        }
    }

    async fn node_with_clock_off_by_over_a_minute_issues_and_accepts_no_tokens(
        app: TestApp,
    ) {
        let (node, clock) = node(&app).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let there = robot.at(&node.gateway);
        let assert_unusable = async || {
            let refused = graphql(&there).await;
            assert_eq!(
                (refused.status, refused.code()),
                (503, "DATABASE_UNAVAILABLE"),
                "{}",
                refused.body
            );
            assert_eq!(refused.body["errors"][0]["extensions"]["retryable"], true);
            assert!(refused.message().contains("clock"), "{}", refused.message());
            for path in ["/oauth2/token", INTROSPECT, "/oauth2/revoke"] {
                let request = form(
                    &node,
                    path,
                    &[("grant_type", "client_credentials"), ("token", &robot.token)],
                );
                let refused =
                    node.send(request.header("authorization", robot.credentials.basic())).await;
                assert_eq!(
                    (refused.status, &refused.body["error"]),
                    (503, &json!("temporarily_unavailable")),
                    "{path}"
                );
            }
            let unready = ready(&node).await;
            assert_eq!(
                (unready.status, &unready.body["checks"]["clock"]),
                (503, &json!("failing"))
            );
        };
        assert_eq!(there.status().await, 200);
        clock.set_ahead(Duration::from_millis(60_001));
        assert_unusable().await;
        clock.set_back(Duration::from_millis(120_002));
        assert_unusable().await;
        clock.set_ahead(Duration::from_millis(60_001));
        assert_eq!((there.status().await, ready(&node).await.status), (200, 200));
        assert!(node.works(&robot.credentials).await);
        assert_eq!(robot.status().await, 200, "the other node continued to serve");
        let records =
            crate::oauth::asking::reasons(&app.administrator(app.world.north).await, "token").await;
        assert_eq!(records, Vec::<(String, Value)>::new(), "no failed authentication is recorded");
    }

    async fn database_time_is_read_at_startup(engine: Engine) {
        let database = TestDatabase::fresh(engine).await;
        let behind = Arc::new(ManualClock::at(SystemClock.now().minus(Duration::from_mins(10))));
        let environment = Environment { clock: behind, ..Environment::default() };
        let core = Core::open(&database.config(), environment).await.unwrap();
        let off = SystemClock.now().since(core.time.now());
        match engine {
            Engine::Sqlite => {
                assert!(off >= Duration::from_mins(10), "SQLite uses the node's clock: {off:?}");
            }
            Engine::Postgres => assert!(off < Duration::from_secs(5), "{off:?}"),
        }
    }
}
