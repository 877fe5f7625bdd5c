//! A full disk: SQLite rolls the transaction back by itself, and no acknowledged write may be lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use serde_json::json;
use tenant_gateway::database::{Database, Options};
use tenant_gateway::error::ErrorCode;

use super::{count, execute};
use crate::support::caller::CREDENTIALS;
use crate::support::process::Deployment;
use crate::support::{Credentials, Engine, TestDatabase, eventually};

/// A small file system.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts it, which only root may do.
    fn mount(path: &Path, size: &str) -> Self {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "tenant-gateway-test"])
            .arg(path)
            .output()
            .expect("`mount` is installed");
        let reason = String::from_utf8_lossy(&mounted.stderr);
        assert!(
            mounted.status.success(),
            "a small tmpfs is needed, which root may mount: {reason}"
        );
        Self { path: path.to_owned() }
    }

    /// Fills the file system.
    fn fill(&self) -> PathBuf {
        let ballast = self.path.join("ballast");
        let mut file = fs::File::create(&ballast).unwrap();
        std::io::copy(&mut std::io::repeat(1), &mut file).unwrap_err();
        ballast
    }
}

impl SmallDisk {
    fn make_read_only(&self) {
        let remounted =
            Command::new("mount").args(["-o", "remount,ro"]).arg(&self.path).status().unwrap();
        assert!(remounted.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.path).status().ok();
    }
}

async fn open(folder: &Path) -> Database {
    let url = format!("sqlite:{}", folder.join("tenant-gateway.db").display());
    Database::connect(Options { url, max_connections: 4, busy_timeout: Duration::from_secs(5) })
        .await
        .unwrap()
}

#[tokio::test]
async fn writes_work_again_once_a_full_disk_has_space_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path(), "2m");
    let database = open(folder.path()).await;
    execute(&database, "CREATE TABLE things (id INTEGER PRIMARY KEY, content TEXT NOT NULL)").await;
    let mut written = 0;
    for round in 0..3 {
        let ballast = disk.fill();
        let mut refused = 0;
        for _ in 0..40 {
            let write = database.begin().await.unwrap();
            let sql = format!("INSERT INTO things (content) VALUES ('{}')", "x".repeat(20_000));
            let inserted = write.on().execute_unprepared(&sql).await.map(drop).map_err(Into::into);
            let outcome = if inserted.is_ok() { write.commit().await } else { inserted };
            match outcome {
                Ok(()) => written += 1,
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::DatabaseUnavailable, "{error}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "the disk was full in round {round}");
        database.ready().await.expect_err("the last write failed for space");
        fs::remove_file(ballast).unwrap();
        eventually(5, "readiness", async || database.ready().await.ok()).await;
        execute(&database, "INSERT INTO things (content) VALUES ('small')").await;
        written += 1;
        assert_eq!(count(&database, "things").await, written);
        // Another connection sees committed rows only.
        assert_eq!(count(&open(folder.path()).await, "things").await, written);
    }
}

#[tokio::test]
async fn acknowledged_clients_survive_a_full_disk_without_restart() {
    let fresh = TestDatabase::empty(Engine::Sqlite).await;
    let disk = SmallDisk::mount(fresh.folder.path(), "4m");
    let deployment = Deployment { database: fresh };
    let administrator = deployment.init();
    let process = deployment.serve().await;
    let caller = process.log_in(administrator).await;
    let create = format!("mutation($name: String!) {{ createClient(name: $name) {CREDENTIALS} }}");
    let mut made = Vec::new();
    let ballast = disk.fill();
    let mut refusals = Vec::new();
    while refusals.len() < 5 {
        let answer = caller.ask(&create, json!({ "name": format!("client {}", made.len()) })).await;
        if answer.body["data"]["createClient"].is_object() {
            made.push(Credentials::of(&answer.body["data"]["createClient"]));
        } else {
            refusals.push(answer);
        }
        assert!(made.len() < 2_000, "the disk does not fill");
    }
    for refusal in &refusals {
        assert_eq!(refusal.code(), "DATABASE_UNAVAILABLE", "{}", refusal.body);
    }
    let ready = format!("{}/health/ready", process.gateway().url);
    let told = process.gateway().http.get(&ready).send().await.unwrap();
    assert_eq!(told.status(), 503);
    assert!(told.text().await.unwrap().contains("no space left"));
    fs::remove_file(ballast).unwrap();
    eventually(5, "readiness", async || {
        process.gateway().http.get(&ready).send().await.ok().filter(|answer| answer.status() == 200)
    })
    .await;
    for number in 0..20 {
        made.push(caller.create(&format!("later {number}"), &[]).await);
    }
    process.kill();
    let process = Deployment::serve(&deployment).await;
    for client in &made {
        assert!(process.gateway().works(client).await, "an acknowledged client is lost");
    }
}

#[tokio::test]
async fn reached_page_limit_leaves_no_transaction_open() {
    let fresh = TestDatabase::empty(Engine::Sqlite).await;
    let database = open(fresh.folder.path()).await;
    execute(&database, "CREATE TABLE things (content TEXT NOT NULL)").await;
    for _ in 0..4 {
        let write = database.begin().await.unwrap();
        write.on().execute_unprepared("PRAGMA max_page_count = 3").await.unwrap();
        let sql = format!("INSERT INTO things VALUES ('{}')", "x".repeat(100_000));
        let error = write.on().execute_unprepared(&sql).await.unwrap_err();
        assert!(error.to_string().contains("full"), "{error}");
        drop(write);
        execute(&database, "INSERT INTO things VALUES ('small')").await;
    }
    assert_eq!(count(&database, "things").await, 4);
}

#[tokio::test]
async fn read_only_disk_is_named_with_its_path() {
    let fresh = TestDatabase::empty(Engine::Sqlite).await;
    let disk = SmallDisk::mount(fresh.folder.path(), "4m");
    let deployment = Deployment { database: fresh };
    deployment.init();
    disk.make_read_only();
    for command in [&["serve"][..], &["client", "list"]] {
        let output = deployment.run(command);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        let path = deployment.database.folder.path().to_str().unwrap();
        assert!(
            told.contains("Read-only file system") && told.contains(path),
            "{command:?}: {told}"
        );
    }
}
