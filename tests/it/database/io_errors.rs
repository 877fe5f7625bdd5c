//! Injected I/O errors and a PostgreSQL that stops during writes: after a restart every
//! acknowledged write is there, and each refused one is there as a whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures_util::future::join_all;
use serde_json::json;

use super::{count, open};
use crate::support::caller::CREDENTIALS;
use crate::support::process::{Deployment, Process};
use crate::support::proxy::PostgresProxy;
use crate::support::{Answer, Caller, Credentials, Engine, OnEngine, TestDatabase, eventually};

/// A library preloaded before the C library: while the file `fail` names a call, calls of that name
/// fail with EIO. SQLite opens its files through the C library.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(const char *call) {
    char wanted[32] = {0};
    const char *path = getenv("FAIL_CALLS");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return 0;
    ssize_t length = read(file, wanted, sizeof wanted - 1);
    close(file);
    if (length <= 0 || strcmp(wanted, call)) return 0;
    errno = EIO;
    return 1;
}

#define FAILING(name, result, parameters, arguments)                     \
    result name parameters {                                             \
        static result(*next) parameters;                                 \
        if (!next) next = (result(*) parameters)dlsym(RTLD_NEXT, #name); \
        return fails(#name) ? -1 : next arguments;                       \
    }

FAILING(fsync, int, (int file), (file))
FAILING(fdatasync, int, (int file), (file))
FAILING(pwrite, ssize_t, (int file, const void *from, size_t size, off_t at), (file, from, size, at))
FAILING(pwrite64, ssize_t, (int file, const void *from, size_t size, off64_t at), (file, from, size, at))
"#;

/// A disk whose system calls can be made to fail.
struct FailingDisk {
    library: PathBuf,
    order: PathBuf,
}

impl FailingDisk {
    /// Builds the shim. The compiler is the one that links the program.
    fn build(folder: &Path) -> Self {
        let source = folder.join("failing.c");
        let library = folder.join("failing.so");
        fs::write(&source, SHIM).unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .output()
            .expect("a C compiler is installed");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { library, order: folder.join("fail") }
    }

    async fn serve(&self, deployment: &Deployment) -> Process {
        let library = self.library.to_str().unwrap();
        let order = self.order.to_str().unwrap();
        deployment.serve_with(&[("LD_PRELOAD", library), ("FAIL_CALLS", order)]).await
    }

    fn fail(&self, call: &str) {
        fs::write(&self.order, call).unwrap();
    }

    fn mend(&self) {
        fs::remove_file(&self.order).unwrap();
    }
}

async fn create(caller: &Caller, name: String) -> Answer {
    let document =
        format!("mutation($name: String!) {{ createClient(name: $name) {CREDENTIALS} }}");
    caller.ask(&document, json!({ "name": name })).await
}

/// Creates many clients; returns those that were acknowledged.
fn acknowledged(answers: &[Answer]) -> Vec<Credentials> {
    let made = answers.iter().map(|answer| &answer.body["data"]["createClient"]);
    made.filter(|made| made.is_object()).map(Credentials::of).collect()
}

/// Expects every refusal to have the code and a known or unknown outcome, and no internals.
fn expect_refusals(answers: &[Answer]) -> usize {
    let refused = |answer: &&Answer| !answer.body["data"]["createClient"].is_object();
    let refused: Vec<_> = answers.iter().filter(refused).collect();
    for answer in &refused {
        assert_eq!(answer.code(), "DATABASE_UNAVAILABLE", "{}", answer.body);
        let told = answer.body.to_string();
        assert!(!told.contains("sqlite") && !told.contains("EIO"), "{told}");
    }
    refused.len()
}

/// Expects no partial changes: each client has its secret, its role and its audit record.
async fn expect_whole_clients(deployment: &Deployment) {
    let database = open(&deployment.database).await;
    for part in ["client_secrets", "role_assignments"] {
        let without =
            format!("clients WHERE NOT EXISTS (SELECT 1 FROM {part} WHERE client_id = clients.id)");
        assert_eq!(count(&database, &without).await, 0, "clients without {part}");
    }
    let recorded = "audit_log WHERE operation = 'createClient' AND outcome = 'SUCCEEDED'";
    assert_eq!(count(&database, "clients").await, count(&database, recorded).await);
}

async fn disk_that_fails(call: &str) {
    let deployment = Deployment { database: TestDatabase::empty(Engine::Sqlite).await };
    let administrator = deployment.init();
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::build(folder.path());
    let process = disk.serve(&deployment).await;
    let caller = process.log_in(administrator).await;
    let mut made = vec![];
    for round in 0..3 {
        let before = join_all((0..4).map(|n| create(&caller, format!("{round} {n}")))).await;
        assert_eq!(expect_refusals(&before), 0, "{call} in round {round}");
        made.extend(acknowledged(&before));
        disk.fail(call);
        let during =
            join_all((0..8).map(|n| create(&caller, format!("failing {round} {n}")))).await;
        assert_eq!(expect_refusals(&during), 8, "{call} fails in round {round}");
        assert_eq!(process.readiness().await.0, 503);
        disk.mend();
        eventually(5, "readiness", async || (process.readiness().await.0 == 200).then_some(()))
            .await;
    }
    process.kill();
    let process = deployment.serve().await;
    for client in &made {
        assert!(process.gateway().works(client).await, "an acknowledged client is lost");
    }
    process.kill();
    expect_whole_clients(&deployment).await;
}

#[tokio::test]
async fn acknowledged_writes_survive_failing_fsync() {
    disk_that_fails("fsync").await;
}

#[tokio::test]
async fn acknowledged_writes_survive_failing_pwrite() {
    disk_that_fails("pwrite64").await;
}

#[tokio::test]
async fn acknowledged_writes_survive_postgres_stopping_during_writes() {
    let deployment = Deployment::on(Engine::Postgres).await;
    let administrator = deployment.init();
    let mut proxy = PostgresProxy::before(&deployment.database).await;
    let url = proxy.url();
    let process = deployment.serve_with(&[("TENANT_GATEWAY__DATABASE__URL", &url)]).await;
    let caller = process.log_in(administrator).await;
    let mut answers = vec![];
    for round in 0..5 {
        let creations = (0..40).map(|n| {
            let caller = caller.clone();
            tokio::spawn(async move { create(&caller, format!("{round} {n}")).await })
        });
        let creations: Vec<_> = creations.collect();
        // Some have completed; the others are in flight.
        eventually(10, "the first answers", async || {
            (creations.iter().filter(|creation| creation.is_finished()).count() > 3).then_some(())
        })
        .await;
        proxy.cut().await;
        for creation in creations {
            answers.push(creation.await.unwrap());
        }
        proxy.mend().await;
        eventually(10, "readiness", async || (process.readiness().await.0 == 200).then_some(()))
            .await;
    }
    assert!(expect_refusals(&answers) > 0, "some requests were interrupted");
    let made = acknowledged(&answers);
    assert!(made.len() >= 15, "some were answered: {}", made.len());
    process.kill();
    let process = deployment.serve().await;
    for client in &made {
        assert!(process.gateway().works(client).await, "an acknowledged client is lost");
    }
    process.kill();
    expect_whole_clients(&deployment).await;
}
