//! Backups taken under write load, and their restoration.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway::database::{Database, Options};

use crate::support::caller::CREDENTIALS;
use crate::support::process::Deployment;
use crate::support::{Caller, Credentials, Engine, OnEngine, TestDatabase, eventually, notes};

/// The number of backups taken while clients are created.
const ROUNDS: usize = 20;

/// The number of callers that create clients concurrently.
const WRITERS: usize = 4;

const KEY: &str = "master.key";

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeded(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Creates clients until told to stop, and lists each that was acknowledged.
async fn write(caller: Caller, acknowledged: Arc<Mutex<Vec<String>>>, stop: Arc<AtomicBool>) {
    let create = format!("mutation {{ createClient(name: \"made\") {CREDENTIALS} }}");
    while !stop.load(Ordering::SeqCst) {
        let client = caller.ask(&create, json!({})).await.field("createClient");
        acknowledged.lock().unwrap().push(Credentials::of(&client).id);
    }
}

/// A deployment with its own folder, into which a backup is restored.
fn restored(deployment: &Deployment, backup: &Path) -> Deployment {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(deployment.database.folder.path().join(KEY), folder.path().join(KEY)).unwrap();
    let engine = Engine::Sqlite;
    let master_key = deployment.database.master_key.clone();
    let database = Arc::new(TestDatabase { engine, folder, master_key, url: None });
    let copy = Deployment { database };
    succeeded(&copy.run(&["restore", backup.to_str().unwrap(), "--output", "json"]));
    copy
}

async fn started() -> (Deployment, Credentials) {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let administrator = deployment.init();
    notes::note(fs::read_to_string(deployment.database.folder.path().join(KEY)).unwrap().trim());
    (deployment, administrator)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_under_write_load_misses_nothing_that_was_acknowledged_before_it() {
    let (deployment, administrator) = started().await;
    let process = deployment.serve().await;
    let caller = process.log_in(administrator).await;
    let backups = tempfile::tempdir().unwrap();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for round in 0..ROUNDS {
        let before = caller.create(&format!("before {round}"), &[]).await;
        acknowledged.lock().unwrap().push(before.id.clone());
        let count = acknowledged.lock().unwrap().len();
        let stop = Arc::new(AtomicBool::new(false));
        let write = || tokio::spawn(write(caller.clone(), acknowledged.clone(), stop.clone()));
        let writers: Vec<_> = (0..WRITERS).map(|_| write()).collect();
        eventually(10, "clients that are created meanwhile", async || {
            (acknowledged.lock().unwrap().len() > count + WRITERS).then_some(())
        })
        .await;
        let required = acknowledged.lock().unwrap().clone();
        let file = backups.path().join(format!("{round}.db"));
        let arguments = ["backup", file.to_str().unwrap(), "--output", "json"];
        let mut command = deployment.command(&arguments);
        let told = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let told = succeeded(&told);
        stop.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.await.unwrap();
        }
        let written = acknowledged.lock().unwrap().len();
        assert!(written > required.len(), "clients were created during the backup");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let copy = restored(&deployment, &file);
        let listed = copy.run(&["client", "list", "--output", "json"]);
        let clients: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
        assert_eq!(told["clients"], clients.len(), "the backup is a consistent snapshot");
        let ids: HashSet<_> = clients.iter().map(|client| client["id"].as_str().unwrap()).collect();
        let missing = required.iter().filter(|id| !ids.contains(id.as_str())).count();
        assert_eq!(missing, 0, "round {round}: acknowledged clients are missing");
        let restored = copy.serve().await;
        assert!(restored.gateway().works(&before).await, "round {round}: a client is unusable");
    }
}

#[tokio::test]
async fn backup_and_restore_overwrite_nothing() {
    let (deployment, _) = started().await;
    let backups = tempfile::tempdir().unwrap();
    let file = backups.path().join("gateway.db");
    let path = file.to_str().unwrap();
    succeeded(&deployment.run(&["backup", path, "--output", "json"]));
    let first = fs::read(&file).unwrap();
    let again = deployment.run(&["backup", path]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("exists already"), "{}", text(&again));
    let refused = deployment.run(&["restore", path]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("exists already"), "{}", text(&refused));
    assert_eq!(fs::read(&file).unwrap(), first);
    assert_eq!(fs::read_dir(backups.path()).unwrap().count(), 1, "no partial file is left");
}

#[tokio::test]
async fn backup_that_cannot_be_used_is_refused() {
    let (deployment, _) = started().await;
    deployment.serve().await.kill();
    let backups = tempfile::tempdir().unwrap();
    let file = backups.path().join("gateway.db");
    succeeded(&deployment.run(&["backup", file.to_str().unwrap(), "--output", "json"]));
    let refusal = |file: &Path| {
        let told = deployment.run(&["backup", "check", file.to_str().unwrap()]);
        assert_eq!(told.status.code(), Some(1), "{}", file.display());
        text(&told)
    };
    let damaged = backups.path().join("damaged.db");
    let mut content = fs::read(&file).unwrap();
    let middle = content.len() / 2;
    content[middle..middle + 4096].fill(0xa5);
    fs::write(&damaged, content).unwrap();
    assert!(refusal(&damaged).contains("cannot be used"));
    let other = backups.path().join("other.db");
    fs::write(&other, "").unwrap();
    assert!(refusal(&other).contains("not a database of tenant-gateway"));
    assert!(refusal(&backups.path().join("missing.db")).contains("missing.db"));
    // From a version with one migration more.
    let newer = backups.path().join("newer.db");
    fs::copy(&file, &newer).unwrap();
    let url = format!("sqlite:{}", newer.display());
    let database = Database::connect(Options {
        url,
        max_connections: 2,
        busy_timeout: Duration::from_secs(10),
    });
    let database = database.await.unwrap();
    super::execute(
        &database,
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)",
    )
    .await;
    database.close().await.unwrap();
    assert!(refusal(&newer).contains("m9999_future"));
    // With another deployment's master key.
    let (stranger, _) = started().await;
    let key = fs::read(stranger.database.folder.path().join(KEY)).unwrap();
    fs::write(deployment.database.folder.path().join(KEY), key).unwrap();
    let told = refusal(&file);
    assert!(told.contains("master key") || told.contains("sealed"), "{told}");
}

#[tokio::test]
async fn backup_of_postgres_names_the_tool_that_makes_it() {
    let deployment = Deployment::on(Engine::Postgres).await;
    let told = deployment.run(&["backup", "gateway.db"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told).contains("pg_dump --format=custom"), "{}", text(&told));
}
