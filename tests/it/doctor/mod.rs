//! `tenant-gateway doctor`: each finding, and that it changes nothing.

mod upstreams;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, both_databases, notes};

const DATABASE: &str = "tenant-gateway.db";
const KEY: &str = "master.key";

/// Runs the command; returns the exit status and the findings.
fn examine(command: &mut Command) -> (Option<i32>, Vec<Value>) {
    let Output { status, stdout, stderr } = command.args(["--output", "json"]).output().unwrap();
    let findings = serde_json::from_slice(&stdout);
    let findings = findings.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&stderr)));
    (status.code(), findings)
}

fn doctor(deployment: &Deployment) -> (Option<i32>, Vec<Value>) {
    examine(&mut deployment.command(&["doctor"]))
}

/// The one finding of a check, or the first that is not ok.
fn of<'a>(findings: &'a [Value], check: &str) -> &'a Value {
    let mut found: Vec<_> = findings.iter().filter(|one| one["check"] == check).collect();
    found.sort_by_key(|one| one["state"] == "ok");
    found.first().unwrap_or_else(|| panic!("no finding {check} in {findings:?}"))
}

/// Asserts the state of a check and parts of its texts.
fn assert_found(findings: &[Value], check: &str, state: &str, parts: &[&str]) {
    let found = of(findings, check);
    assert_eq!(found["state"], state, "{found}");
    for part in parts {
        assert!(found.to_string().contains(part), "{part} is not in {found}");
    }
}

async fn deployment() -> Deployment {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let key = deployment.database.folder.path().join(KEY);
    notes::note(fs::read_to_string(key).unwrap().trim());
    // The first start creates a signing key and seals it.
    let mut process = deployment.serve().await;
    process.terminate();
    assert_eq!(process.ended().await, Some(0));
    deployment
}

/// Name, content, mode and time of change of each file.
fn state(folder: &Path) -> Vec<(String, Vec<u8>, u32, SystemTime)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let name = entry.file_name().into_string().unwrap();
            let content = fs::read(entry.path()).unwrap();
            (name, content, metadata.permissions().mode(), metadata.modified().unwrap())
        })
        .collect();
    files.sort();
    files
}

both_databases! {
    async fn healthy_gateway_passes_every_check_beside_a_running_process(deployment: Deployment) {
        deployment.init();
        let _process = deployment.serve().await;
        let (status, findings) = doctor(&deployment);
        assert_eq!(status, Some(0), "{findings:?}");
        for check in ["settings", "files", "database", "migrations", "master_key", "clock"] {
            assert_found(&findings, check, "ok", &[]);
        }
        assert_found(&findings, "upstream", "ok", &["none is registered"]);
        let advised = findings.iter().filter(|one| one["state"] != "ok");
        assert!(advised.into_iter().all(|one| one["advice"].is_string()), "{findings:?}");
    }

    async fn schema_that_is_behind_is_a_failure_and_stays_behind(deployment: Deployment) {
        deployment.init();
        let to = "m0072_sign_in_requests";
        assert!(deployment.run(&["migrate", "down", "--to", to]).status.success());
        for _ in 0..2 {
            let (status, findings) = doctor(&deployment);
            assert_eq!(status, Some(1));
            assert_found(&findings, "migrations", "failed", &["behind", "migrate up"]);
        }
    }
}

#[tokio::test]
async fn examination_changes_nothing() {
    let deployment = deployment().await;
    let folder = deployment.database.folder.path();
    fs::set_permissions(folder.join(DATABASE), fs::Permissions::from_mode(0o644)).unwrap();
    let before = state(folder);
    doctor(&deployment);
    assert_eq!(state(folder), before);
}

#[tokio::test]
async fn changes_in_the_log_of_a_killed_gateway_are_seen_and_stay() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    deployment.serve().await.kill();
    let folder = deployment.database.folder.path();
    notes::note(fs::read_to_string(folder.join(KEY)).unwrap().trim());
    let log = format!("{DATABASE}-wal");
    assert!(fs::metadata(folder.join(&log)).unwrap().len() > 0, "the log has changes");
    let durable = || {
        let kept = state(folder).into_iter().filter(|(name, ..)| !name.ends_with("-shm"));
        kept.collect::<Vec<_>>()
    };
    let before = durable();
    let (status, findings) = doctor(&deployment);
    assert_eq!(status, Some(0), "{findings:?}");
    assert_found(&findings, "master_key", "ok", &["opens the newest signing key"]);
    assert_eq!(durable(), before);
}

#[tokio::test]
async fn invalid_settings_are_found_without_their_secrets() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let secret = "a-secret-that-is-no-master-key";
    notes::note(secret);
    let mut command = deployment.command(&["doctor"]);
    let (status, findings) = examine(command.env("TENANT_GATEWAY__SEAL__MASTER_KEY", secret));
    assert_eq!(status, Some(1));
    let parts = ["seal.master_key", "docs/configuration.md"];
    assert_found(&findings, "settings", "failed", &parts);
    assert!(!json!(findings).to_string().contains(secret));
}

#[tokio::test]
async fn missing_database_is_found_and_none_is_made() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let (status, findings) = doctor(&deployment);
    assert_eq!(status, Some(1));
    let parts = [DATABASE, "tenant-gateway restore", "tenant-gateway init"];
    assert_found(&findings, "database", "failed", &parts);
    assert_eq!(state(deployment.database.folder.path()), []);
}

#[tokio::test]
async fn unreachable_server_is_found_without_its_password() {
    let deployment = Deployment::on(Engine::Postgres).await;
    let password = "hunter2-with-sixteen-characters";
    notes::note(password);
    let mut command = deployment.command(&["doctor"]);
    let url = format!("postgres://gateway:{password}@127.0.0.1:1/gateway");
    let (status, findings) = examine(command.env("TENANT_GATEWAY__DATABASE__URL", url));
    assert_eq!(status, Some(1));
    let parts = ["127.0.0.1:1", "refused", "database-down.md"];
    assert_found(&findings, "database", "failed", &parts);
    assert!(!json!(findings).to_string().contains(password));
}

#[tokio::test]
async fn damaged_database_is_found() {
    let deployment = deployment().await;
    let file = deployment.database.folder.path().join(DATABASE);
    let mut content = fs::read(&file).unwrap();
    let middle = content.len() / 2;
    content[middle..middle + 4096].fill(0xa5);
    fs::write(&file, content).unwrap();
    let (status, findings) = doctor(&deployment);
    assert_eq!(status, Some(1));
    assert_found(&findings, "database", "failed", &["restore a backup"]);
}

#[tokio::test]
async fn another_master_key_and_a_missing_one_are_found() {
    let deployment = deployment().await;
    let key = deployment.database.folder.path().join(KEY);
    let other = Deployment::on(Engine::Sqlite).await.database.master_key.clone();
    fs::write(&key, &other).unwrap();
    let (status, findings) = doctor(&deployment);
    assert_eq!(status, Some(1));
    assert_found(&findings, "master_key", "failed", &["another master key", "restore the key"]);
    assert!(!json!(findings).to_string().contains(&other));
    fs::remove_file(&key).unwrap();
    let (status, findings) = doctor(&deployment);
    assert_eq!(status, Some(1));
    assert_found(&findings, "master_key", "failed", &[key.to_str().unwrap()]);
    assert!(!key.exists(), "no key is made");
}

#[tokio::test]
async fn files_that_others_can_read_are_found_with_the_command_that_closes_them() {
    let deployment = deployment().await;
    let folder = deployment.database.folder.path();
    let key = folder.join(KEY);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let (status, findings) = doctor(&deployment);
    assert_eq!(status, Some(1));
    let advice = format!("chmod 600 {}", key.display());
    assert_found(&findings, "files", "failed", &[&advice]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    let (_, findings) = doctor(&deployment);
    let advice = format!("chmod 700 {}", folder.display());
    assert_found(&findings, "files", "failed", &[&advice]);
}

#[tokio::test]
async fn settings_file_with_a_secret_and_file_of_a_secret_must_be_private() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let key = &deployment.database.master_key;
    let settings = folder.path().join("gateway.toml");
    fs::write(&settings, format!("[seal]\nmaster_key = \"{key}\"\n")).unwrap();
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o644)).unwrap();
    let path = settings.to_str().unwrap();
    let (_, findings) = examine(&mut deployment.command(&["doctor", "--config", path]));
    assert_found(&findings, "files", "failed", &[path, "chmod 600"]);
    fs::write(&settings, "[tokens]\nlifetime = \"1h\"\n").unwrap();
    let (_, findings) = examine(&mut deployment.command(&["doctor", "--config", path]));
    assert_found(&findings, "files", "ok", &[]);

    let file = folder.path().join("key");
    fs::write(&file, key).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = deployment.command(&["doctor"]);
    let (_, findings) = examine(command.env("TENANT_GATEWAY__SEAL__MASTER_KEY_FILE", &file));
    assert_found(&findings, "files", "warning", &[file.to_str().unwrap(), "defaultMode: 0400"]);
}

#[tokio::test]
async fn public_url_and_proxies_are_judged_together() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let judged = |public: &str, proxies: &str| {
        let mut command = deployment.command(&["doctor"]);
        command
            .env("TENANT_GATEWAY__SERVER__PUBLIC_URL", public)
            .env("TENANT_GATEWAY__SERVER__TRUSTED_PROXIES", proxies);
        examine(&mut command).1
    };
    let findings = judged("https://localhost", "");
    assert_found(&findings, "public_url", "ok", &["localhost resolves to"]);
    assert_found(&findings, "proxies", "warning", &["X-Forwarded-For"]);
    let findings = judged("https://gateway.invalid", "10.0.0.0/8");
    assert_found(&findings, "public_url", "warning", &["gateway.invalid", "DNS"]);
    assert_found(&findings, "proxies", "ok", &[]);
    let findings = judged("http://127.0.0.1:8080", "0.0.0.0/0");
    assert_found(&findings, "public_url", "ok", &[]);
    assert_found(&findings, "proxies", "failed", &["every address", "only the networks"]);
}

#[tokio::test]
async fn table_shows_advice_below_its_finding() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let output = deployment.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).unwrap();
    let mut lines = shown.lines().skip_while(|line| !line.starts_with("FAILED   database"));
    assert!(lines.next().is_some(), "{shown}");
    assert!(lines.next().unwrap().trim().starts_with("-> correct data.dir"), "{shown}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("error: 1 check failed"));
}
