//! Rotation of signing keys: no valid token is refused because of it.

use std::time::Duration;

use serde_json::Value;
use tenant_gateway::app::Core;
use tenant_gateway::config::{Config, TokenAlgorithm};
use tenant_gateway::error::ErrorCode;
use tenant_gateway::roles::Role;

use super::asking::{jwks, kid, published, rows};
use crate::support::process::Deployment;
use crate::support::{Caller, TestApp, both_databases, eventually};

const DAY: u64 = 24 * 3600;
/// `jwks_max_age` and 90 seconds.
const PUBLISHED_AHEAD: u64 = 600 + 90;

/// The id of the key that signs now.
async fn signing(app: &TestApp, caller: &Caller) -> String {
    kid(&app.token(&caller.credentials).await)
}

fn daily(config: &mut Config) {
    config.tokens.key_lifetime = Duration::from_secs(DAY);
}

both_databases! {
    async fn new_signing_key_is_published_before_use_and_old_one_stays_published(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let old = kid(&robot.token);
        assert_eq!(published(&app).await, [old.as_str()]);
        app.advance(30 * DAY - PUBLISHED_AHEAD - 1);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(published(&app).await.len(), 1, "not yet due");
        app.advance(1);
        app.background_jobs.run_once().await.unwrap();
        let keys = published(&app).await;
        assert_eq!((keys.len(), keys[1].as_str()), (2, old.as_str()));
        app.advance(PUBLISHED_AHEAD - 1);
        assert_eq!(signing(&app, &robot).await, old, "published, and not signing yet");
        let last = robot.again().await;
        app.advance(1);
        let first = robot.again().await;
        assert_eq!((kid(&last.token), kid(&first.token)), (old.clone(), keys[0].clone()));
        app.advance(3598);
        assert_eq!((last.status().await, first.status().await), (200, 200));
        // The longest token lifetime, plus a minute for clock differences.
        app.advance(DAY - 3600 + 60);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(
            published(&app).await.len(),
            2,
            "a token of the longest lifetime may still be valid"
        );
        app.advance(2);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(published(&app).await, [keys[0].as_str()]);
        assert_eq!(rows(&app, "signing_keys").await, 2, "its row is kept a day longer");
        app.advance(DAY);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "signing_keys").await, 1, "deleted keys are forgotten");
    }

    async fn revoked_signing_key_is_replaced_at_once_and_refused_by_every_node_in_time(
        app: TestApp,
    ) {
        let another = app.another_node().await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let there = robot.at(&another.gateway);
        assert_eq!(
            (robot.status().await, there.status().await),
            (200, 200),
            "both have verified the token"
        );
        let stolen = kid(&robot.token);
        let core = Core::open(&app.database.config(), app.environment()).await.unwrap();
        let made =
            core.rotation(&app.database.config()).revoke(stolen.parse().unwrap()).await.unwrap();
        let new = made.id.to_string();
        // As long as `auth.access_cache_ttl`.
        app.advance(3);
        for (node, caller) in [(&app, &robot), (&another, &there)] {
            assert_eq!(caller.status().await, 401);
            assert_eq!(published(node).await, [new.as_str()]);
            let again = caller.again().await;
            assert_eq!((kid(&again.token), again.status().await), (new.clone(), 200));
            assert_eq!(again.at(&app.gateway).status().await, 200);
        }
        let unknown = core
            .rotation(&app.database.config())
            .revoke(stolen.parse().unwrap())
            .await
            .unwrap_err();
        assert_eq!((unknown.code(), rows(&app, "signing_keys").await), (ErrorCode::NotFound, 1));
    }

    async fn signing_key_created_by_another_node_is_found_at_once(app: TestApp) {
        let another = app.another_node().await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let core = Core::open(&app.database.config(), app.environment()).await.unwrap();
        app.advance(3);
        assert_eq!(robot.at(&another.gateway).status().await, 200, "it has just read the keys");
        core.rotation(&app.database.config())
            .revoke(kid(&robot.token).parse().unwrap())
            .await
            .unwrap();
        let new = robot.again().await;
        assert_ne!(kid(&new.token), kid(&robot.token));
        assert_eq!(new.at(&another.gateway).status().await, 200);
    }

    async fn operator_revokes_signing_key_of_running_gateway(deployment: Deployment) {
        let administrator = deployment.init();
        let process = deployment.serve().await;
        let caller = process.log_in(administrator).await;
        assert_eq!(caller.status().await, 200);
        let stolen = kid(&caller.token);
        let ran = deployment.run(&["keys", "revoke", &stolen, "--output", "json"]);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let made: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(made["revoked"], stolen.as_str());
        eventually(5, "the end of its tokens", async || {
            (caller.status().await == 401).then_some(())
        })
        .await;
        let again = caller.again().await;
        assert_eq!(
            (kid(&again.token), again.status().await),
            (made["kid"].as_str().unwrap().to_owned(), 200)
        );
        let unknown = deployment.run(&["keys", "revoke", &stolen]);
        assert_eq!(unknown.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("no such signing key"));
    }

    async fn no_issued_token_is_refused_over_many_rotations(engine: Engine) {
        let app = TestApp::with(engine, daily).await;
        let another = app.another_node_with(daily).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let (mut issued, mut keys): (Vec<(Caller, u64)>, std::collections::BTreeSet<String>) =
            Default::default();
        for step in 0..(4 * 24 * 2) {
            let now = step * 1800;
            app.background_jobs.run_once().await.unwrap();
            // The other node reads the keys late: only every hour and a half.
            if step % 3 == 0 {
                another.background_jobs.run_once().await.unwrap();
            }
            let caller = if step % 2 == 0 {
                robot.again().await
            } else {
                robot.at(&another.gateway).again().await
            };
            let known = published(&app).await;
            assert!(known.contains(&kid(&caller.token)), "the signing key is published");
            keys.insert(kid(&caller.token));
            issued.push((caller, now));
            issued.retain(|(_, at)| now - at < 3600);
            for (caller, _) in &issued {
                assert_eq!(caller.at(&app.gateway).status().await, 200);
                assert_eq!(caller.at(&another.gateway).status().await, 200);
            }
            app.advance(1800);
        }
        assert!(keys.len() >= 4, "it rotated: {} keys signed", keys.len());
    }

    async fn nodes_that_rotate_at_once_agree_on_one_key(app: TestApp) {
        let two = app.another_node().await;
        let three = app.another_node().await;
        app.advance(30 * DAY);
        let (one, other, third) = tokio::join!(
            app.background_jobs.run_once(),
            two.background_jobs.run_once(),
            three.background_jobs.run_once()
        );
        for rotated in [one, other, third] {
            rotated.unwrap();
        }
        for node in [&app, &two, &three] {
            node.background_jobs.run_once().await.unwrap();
        }
        let keys = published(&app).await;
        assert_eq!(keys.len(), 2);
        assert_eq!((published(&two).await, published(&three).await), (keys.clone(), keys.clone()));
        app.advance(PUBLISHED_AHEAD);
        let robot = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(kid(&robot.token), keys[0]);
        assert_eq!(signing(&two, &robot).await, keys[0]);
    }

    async fn suspended_node_accepts_new_signing_key_after_waking(app: TestApp) {
        let asleep = app.another_node().await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        app.advance(30 * DAY);
        app.background_jobs.run_once().await.unwrap();
        app.advance(PUBLISHED_AHEAD);
        let new = robot.again().await;
        assert_ne!(kid(&new.token), kid(&robot.token));
        assert_eq!(new.at(&asleep.gateway).status().await, 200);
    }

    async fn new_algorithm_is_published_before_use(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let changed =
            app.another_node_with(|config| config.tokens.algorithm = TokenAlgorithm::Es256).await;
        assert_eq!(signing(&changed, &robot).await, kid(&robot.token), "the old one continues to sign");
        let algorithms: Vec<Value> =
            jwks(&changed).await.into_iter().map(|key| key["alg"].clone()).collect();
        assert_eq!(algorithms, ["ES256", "EdDSA"]);
        app.advance(PUBLISHED_AHEAD);
        assert_eq!(signing(&changed, &robot).await, published(&changed).await[0]);
        assert_eq!(
            signing(&app, &robot).await,
            kid(&robot.token),
            "a node with the old setting keeps the old algorithm"
        );
        for node in [&app, &changed] {
            node.background_jobs.run_once().await.unwrap();
        }
        assert_eq!(published(&app).await.len(), 2, "the nodes do not create keys in turn");
    }

    async fn operator_rotates_signing_keys_manually(deployment: Deployment) {
        let administrator = deployment.init();
        let before = deployment.serve().await;
        let caller = before.log_in(administrator).await;
        drop(before);
        let ran = deployment.run(&["keys", "rotate", "--output", "json"]);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let made: Value = serde_json::from_slice(&ran.stdout).unwrap();
        let process = deployment.serve().await;
        let keys = published(process.gateway()).await;
        assert_eq!((keys.len(), &keys[0]), (2, &made["kid"].as_str().unwrap().to_owned()));
        assert_eq!(caller.at(process.gateway()).status().await, 200);
        assert_eq!(kid(&process.gateway().token(&caller.credentials).await), keys[1]);
    }
}
