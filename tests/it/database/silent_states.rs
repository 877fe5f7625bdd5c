//! Broken states of an embedded database that must be reported instead of ignored.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::caller::CREDENTIALS;
use crate::support::process::Deployment;
use crate::support::{Caller, Engine, OnEngine, eventually, notes};

const DATABASE: &str = "tenant-gateway.db";
const KEY: &str = "master.key";

async fn deployment() -> Deployment {
    Deployment::on(Engine::Sqlite).await
}

/// Runs a command that must fail; returns its error.
fn refusal(deployment: &Deployment, arguments: &[&str]) -> String {
    let output = deployment.run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?} fails");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn create(caller: &Caller, name: &str) -> crate::support::Answer {
    let create = format!("mutation($name: String!) {{ createClient(name: $name) {CREDENTIALS} }}");
    caller.ask(&create, json!({ "name": name })).await
}

fn note_key(deployment: &Deployment) {
    notes::note(fs::read_to_string(deployment.database.folder.path().join(KEY)).unwrap().trim());
}

#[tokio::test]
async fn files_of_the_database_are_readable_by_their_owner_alone() {
    let deployment = deployment().await;
    deployment.init();
    note_key(&deployment);
    let folder = deployment.database.folder.path();
    // The schema of an older version.
    fs::set_permissions(folder.join(DATABASE), fs::Permissions::from_mode(0o644)).unwrap();
    let _process = deployment.serve().await;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    assert!(folder.join(format!("{DATABASE}-wal")).exists());
}

#[tokio::test]
async fn missing_database_beside_a_master_key_is_refused_and_none_is_made() {
    let deployment = deployment().await;
    deployment.init();
    note_key(&deployment);
    let file = deployment.database.folder.path().join(DATABASE);
    fs::remove_file(&file).unwrap();
    for command in [&["serve"][..], &["client", "list"], &["keys", "rotate"]] {
        let told = refusal(&deployment, command);
        assert!(
            told.contains(file.to_str().unwrap()) && told.contains("restore"),
            "{command:?}: {told}"
        );
        assert!(!file.exists(), "{command:?} made a database");
    }
}

#[tokio::test]
async fn missing_master_key_beside_sealed_secrets_is_refused_and_none_is_made() {
    let deployment = deployment().await;
    deployment.init();
    note_key(&deployment);
    // The first start creates a signing key and seals it.
    deployment.serve().await.kill();
    let key = deployment.database.folder.path().join(KEY);
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    for command in [&["serve"][..], &["client", "list"], &["keys", "rotate"]] {
        let told = refusal(&deployment, command);
        assert!(told.contains(key.to_str().unwrap()), "{command:?}: {told}");
        assert!(!key.exists(), "{command:?} made a key");
    }
    fs::write(&key, kept).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    deployment.serve().await;
}

#[tokio::test]
async fn writes_into_a_deleted_database_are_refused_and_the_gateway_is_not_ready() {
    let deployment = deployment().await;
    let administrator = deployment.init();
    note_key(&deployment);
    let process = deployment.serve().await;
    let caller = process.log_in(administrator).await;
    create(&caller, "before").await.data();
    let file = deployment.database.folder.path().join(DATABASE);
    fs::remove_file(&file).unwrap();
    assert_eq!(create(&caller, "after").await.code(), "DATABASE_UNAVAILABLE");
    let (status, body) = process.readiness().await;
    assert_eq!(status, 503);
    assert_eq!(body["causes"]["database"], "the database file was deleted or replaced");
    // A different file in its place is as wrong as a missing one.
    fs::write(&file, "").unwrap();
    assert_eq!(create(&caller, "again").await.code(), "DATABASE_UNAVAILABLE");
    let is_told = |record: &Value| {
        record["level"] == "ERROR"
            && record["database"].as_str().is_some_and(|path| path.ends_with(DATABASE))
    };
    eventually(10, "the name of the file in the log", async || {
        process.records().iter().any(is_told).then_some(())
    })
    .await;
}

#[tokio::test]
async fn damaged_database_is_not_ready() {
    let deployment = deployment().await;
    let administrator = deployment.init();
    note_key(&deployment);
    let file = deployment.database.folder.path().join(DATABASE);
    let process = deployment.serve().await;
    let caller = process.log_in(administrator).await;
    create(&caller, "before").await.data();
    // Overwrites every page but the first, in the file and its write-ahead log.
    for name in [DATABASE.to_owned(), format!("{DATABASE}-wal")] {
        let file = file.with_file_name(name);
        let mut content = fs::read(&file).unwrap();
        for byte in content.iter_mut().skip(100) {
            *byte = 0xa5;
        }
        fs::write(&file, content).unwrap();
    }
    let first = create(&caller, "after").await;
    let ready = process.readiness().await;
    assert_eq!(ready.0, 503, "{} {ready:?}", first.body);
    drop(process);
    let told = refusal(&deployment, &["serve"]);
    assert!(told.contains(file.to_str().unwrap()), "{told}");
}

#[tokio::test]
async fn second_gateway_on_one_embedded_database_is_refused() {
    let deployment = deployment().await;
    deployment.init();
    note_key(&deployment);
    let first = deployment.serve().await;
    let told = refusal(&deployment, &["serve"]);
    assert!(told.contains("another gateway") && told.contains("PostgreSQL"), "{told}");
    // Commands still work beside it, and so does a start after it was killed.
    assert!(deployment.run(&["client", "list"]).status.success());
    first.kill();
    deployment.serve().await;
}

#[tokio::test]
async fn command_leaves_the_whole_database_in_one_file() {
    let deployment = deployment().await;
    deployment.init();
    note_key(&deployment);
    let wal = deployment.database.folder.path().join(format!("{DATABASE}-wal"));
    assert!(!wal.exists(), "committed rows would be missing from a copy of the file");
    assert!(deployment.run(&["client", "list"]).status.success());
    assert!(!wal.exists());
    let mut process = deployment.serve().await;
    process.terminate();
    assert_eq!(process.ended().await, Some(0));
    assert!(!wal.exists());
}

#[tokio::test]
async fn path_that_cannot_be_opened_is_named() {
    let deployment = deployment().await;
    let folder = deployment.database.folder.path().join("no folder");
    let url = format!("sqlite:{}", folder.join("gateway.db").display());
    let mut command = deployment.command(&["client", "list"]);
    let output = command.env("TENANT_GATEWAY__DATABASE__URL", &url).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains(folder.to_str().unwrap()) && told.contains("No such file"), "{told}");
}
