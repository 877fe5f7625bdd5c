//! Rotation of the master key, also while the gateway runs.

use serde_json::{Value, json};
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::config::Config;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::roles::Role;
use tenant_gateway::seal::MasterKey;
use tokio::net::TcpSocket;

use super::asking::{kid, published};
use crate::support::process::Deployment;
use crate::support::{Caller, Engine, OnEngine, TestApp, both_databases, notes};

/// Settings with a new master key, optionally with the old one as the previous key.
fn with(app: &TestApp, new: &str, beside: bool) -> Config {
    let mut config = app.database.config();
    config.seal.master_key = Some(new.to_owned().into());
    config.seal.previous_master_key = beside.then(|| app.database.master_key.clone().into());
    config
}

both_databases! {
    async fn both_master_keys_unseal_until_all_secrets_are_resealed(app: TestApp) {
        let new = MasterKey::generate(&SystemEntropy);
        notes::note(&new);
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let both = with(&app, &new, true);
        let alone = with(&app, &new, false);
        let refused = Core::open(&alone, Environment::default()).await.unwrap();
        assert!(
            refused.rewrap().await.is_err(),
            "the new key alone cannot unseal secrets of the old one"
        );
        let between = app.another_node_with(|config| *config = both.clone()).await;
        assert_eq!(robot.at(&between.gateway).status().await, 200);
        assert_eq!(Core::rotate_master_key(&both, Environment::default()).await.unwrap(), 1);
        assert_eq!(
            Core::rotate_master_key(&both, Environment::default()).await.unwrap(),
            0,
            "a second time does nothing"
        );
        let after = app.another_node_with(|config| *config = alone).await;
        assert_eq!(robot.at(&after.gateway).status().await, 200);
        assert_eq!(kid(&after.token(&robot.credentials).await), kid(&robot.token));
        assert_eq!(robot.status().await, 200, "a node that was not restarted continues");
    }

    async fn node_with_old_master_key_seals_nothing_that_others_cannot_unseal(app: TestApp) {
        let new = MasterKey::generate(&SystemEntropy);
        notes::note(&new);
        let both = with(&app, &new, true);
        Core::rotate_master_key(&both, Environment::default()).await.unwrap();
        app.advance(31 * 24 * 3600);
        assert!(
            app.background_jobs.run_once().await.is_err(),
            "it can no longer unseal the newest key"
        );
        let between = app.another_node_with(|config| *config = both.clone()).await;
        between.background_jobs.run_once().await.unwrap();
        assert_eq!(published(&between).await.len(), 2);
        app.another_node_with(|config| *config = with(&between, &new, false)).await;
    }

    async fn interrupted_master_key_rotation_is_resumed(app: TestApp) {
        let new = MasterKey::generate(&SystemEntropy);
        notes::note(&new);
        let both = with(&app, &new, true);
        // Half done: of two signing keys, the newer is sealed with the new master key and the older
        // still with the old one.
        let between = app.another_node_with(|config| *config = both.clone()).await;
        app.advance(31 * 24 * 3600);
        between.background_jobs.run_once().await.unwrap();
        assert_eq!(
            Core::rotate_master_key(&both, Environment::default()).await.unwrap(),
            1,
            "only what is left"
        );
        let after = app.another_node_with(|config| *config = with(&app, &new, false)).await;
        assert_eq!(published(&after).await.len(), 2);
    }

    async fn master_key_rotation_requires_the_previous_key(app: TestApp) {
        let alone = with(&app, &MasterKey::generate(&SystemEntropy), false);
        let error = Core::rotate_master_key(&alone, Environment::default()).await.unwrap_err();
        assert!(error.explained().contains("seal.previous_master_key"), "{}", error.explained());
    }
}

/// Registers an installation that refuses connections; only its sealed credential matters.
async fn register(caller: &Caller, name: &str, refusing: &TcpSocket) -> Value {
    let address = refusing.local_addr().unwrap();
    let input = json!({
        "name": name, "system": "DEEP_SECURITY", "baseURL": format!("http://{address}/api"),
        "credential": { "secretKey": "2:registered-in-a-test" },
    });
    let document =
        "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: $input) { id } }";
    caller.ask(document, json!({ "input": input })).await.field("registerUpstream")["id"].clone()
}

/// Asserts that the gateway can unseal the credential of an installation: it tries to call it.
async fn assert_opens(caller: &Caller, upstream: &Value) {
    let document = "mutation($id: ID!) { testUpstream(id: $id) { lastErrorCode } }";
    let answer = caller.ask(document, json!({ "id": upstream })).await;
    assert_eq!(answer.field("testUpstream")["lastErrorCode"], "UPSTREAM_UNAVAILABLE");
}

/// Without `seal.master_key` the key is in a file, which a running gateway reads again.
#[tokio::test]
async fn one_command_replaces_the_master_key_file() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let administrator = deployment.init();
    let folder = deployment.database.folder.path();
    let private = [("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true")];
    let before = deployment.serve_with(&private).await;
    let caller = before.log_in(administrator).await;
    // Reserves the port: nobody listens on it.
    let refusing = TcpSocket::new_v4().unwrap();
    refusing.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let sealed_before = register(&caller, "before", &refusing).await;
    let old = std::fs::read_to_string(folder.join("master.key")).unwrap();
    notes::note(&old);
    let ran = deployment.run(&["keys", "rotate-master", "--output", "json"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), r#"{"sealedAnew":2}"#);
    let new = std::fs::read_to_string(folder.join("master.key")).unwrap();
    notes::note(&new);
    assert_ne!(old, new);
    assert_eq!(caller.status().await, 200, "the running gateway continues");
    assert_opens(&caller, &sealed_before).await;
    let sealed_since = register(&caller, "since", &refusing).await;
    assert!(folder.join("master.key.previous").exists());
    drop(before);
    let after = deployment.serve_with(&private).await;
    let caller = caller.at(after.gateway());
    assert_eq!(caller.status().await, 200);
    assert_opens(&caller, &sealed_before).await;
    assert_opens(&caller, &sealed_since).await;
    assert!(!folder.join("master.key.previous").exists(), "the old key is gone");
}
