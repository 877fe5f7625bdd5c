//! A database that a newer version of the program has migrated: every command says which version,
//! and what to do.

use serde_json::Value;

use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, both_databases};

const MADE_BY_NEWER: &str = "the database's schema was made by version 9.8.7 of tenant-gateway";
const WAYS_BACK: [&str; 3] = ["Install version 9.8.7", "migrate down --to m0", "restore a backup"];

/// Marks the schema as one to which version 9.8.7 has applied a change.
async fn migrated_by_newer(deployment: &Deployment, change: &str, is_additive: bool) {
    let database = super::open(&deployment.database).await;
    for sql in [
        format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{change}', 0)"),
        format!(
            "INSERT INTO schema_changes (name, program_version, is_additive) VALUES ('{change}', \
            '9.8.7', {is_additive})"
        ),
    ] {
        super::execute(&database, &sql).await;
    }
    database.close().await.unwrap();
}

async fn forget_last_change(deployment: &Deployment) {
    let database = super::open(&deployment.database).await;
    let last = "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM \
        seaql_migrations WHERE version < 'm9')";
    super::execute(&database, last).await;
    database.close().await.unwrap();
}

fn refusal(deployment: &Deployment, arguments: &[&str]) -> String {
    let output = deployment.run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?} fails");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!told.contains("Custom Error"), "{arguments:?}: {told}");
    told
}

/// The finding of `doctor` about the schema, and its state.
fn examined(deployment: &Deployment) -> (String, String) {
    let output = deployment.run(&["doctor", "--output", "json"]);
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found = findings.into_iter().find(|one| one["check"] == "migrations").unwrap();
    (found.to_string(), found["state"].as_str().unwrap().to_owned())
}

both_databases! {
    async fn commands_name_the_newer_version_and_the_ways_back(deployment: Deployment) {
        deployment.init();
        migrated_by_newer(&deployment, "m9999_future", false).await;
        for command in [
            &["serve"][..],
            &["init"],
            &["client", "list"],
            &["migrate", "up"],
            &["migrate", "down", "--to", "m0001_tenants"],
            &["migrate", "status"],
        ] {
            let told = refusal(&deployment, command);
            for part in [&[MADE_BY_NEWER, "m9999_future"][..], &WAYS_BACK].concat() {
                assert!(told.contains(part), "{command:?}: {told}");
            }
        }
        let (told, state) = examined(&deployment);
        assert!(state == "failed" && told.contains("9.8.7") && told.contains("m9999_future"), "{told}");
    }

    async fn status_lists_the_changes_of_a_newer_version(deployment: Deployment) {
        deployment.init();
        migrated_by_newer(&deployment, "m9999_future", true).await;
        let output = deployment.run(&["migrate", "status", "--output", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let changes: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let last = changes.last().unwrap();
        assert_eq!((last["change"].as_str(), last["state"].as_str()), (Some("m9999_future"), Some("newer")));
        assert!(changes.iter().rev().skip(1).all(|change| change["state"] == "applied"));
    }

    async fn only_the_newer_version_fills_a_gap_or_undoes_its_change(deployment: Deployment) {
        deployment.init();
        migrated_by_newer(&deployment, "m9999_future", true).await;
        let told = refusal(&deployment, &["migrate", "down", "--to", "m0001_tenants"]);
        assert!(told.contains("m9999_future") && told.contains("of that version"), "{told}");
        forget_last_change(&deployment).await;
        for command in [&["serve"][..], &["migrate", "up"]] {
            let told = refusal(&deployment, command);
            assert!(told.contains("lacks the change m0"), "{command:?}: {told}");
            assert!(told.contains("`tenant-gateway migrate up` of that version"), "{told}");
        }
        let (told, state) = examined(&deployment);
        assert!(state == "failed" && told.contains("of that version"), "{told}");
    }
}

#[tokio::test]
async fn backup_of_a_newer_version_is_refused_by_name_and_none_is_made() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.db");
    let name = newer.to_str().unwrap();
    migrated_by_newer(&deployment, "m9999_future", false).await;
    let told = refusal(&deployment, &["backup", name]);
    assert!(told.contains(MADE_BY_NEWER) && !newer.exists(), "{told}");
    let database = super::open(&deployment.database).await;
    database.back_up(&newer).await.unwrap();
    database.close().await.unwrap();
    let elsewhere = format!("data.dir={}", folder.path().join("elsewhere").display());
    for command in [&["backup", "check", name][..], &["restore", name, "--set", &elsewhere]] {
        let told = refusal(&deployment, command);
        assert!(
            told.contains("newer.db cannot be used: its schema was made by version 9.8.7"),
            "{told}"
        );
        assert!(
            told.contains("m9999_future") && told.contains("Restore it with version 9.8.7"),
            "{told}"
        );
    }
}
