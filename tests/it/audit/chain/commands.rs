//! `tenant-gateway audit verify`, and the verification of an export by its reader.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tenant_gateway::database::{Database, Options};

use crate::metrics::{ADMIN, sample, scrape};
use crate::support::both_databases;
use crate::support::process::Deployment;

const VERIFIER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ops/audit/verify_export.py");

/// Executes a statement on the database of the deployment.
async fn execute(deployment: &Deployment, sql: &str) {
    let url = deployment.database.config().database_url().expose().to_owned();
    let options = Options { url, max_connections: 2, busy_timeout: Duration::from_secs(10) };
    let database = Database::connect(options).await.unwrap();
    let write = database.begin().await.unwrap();
    write.on().execute_unprepared(sql).await.unwrap();
    write.commit().await.unwrap();
    database.close().await.unwrap();
}

fn create_clients(deployment: &Deployment, many: usize) {
    for number in 0..many {
        let name = format!("robot {number} ä\u{1f600}\"\\");
        let made = deployment.run(&["client", "create", "--name", &name, "--output", "json"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

fn verify(deployment: &Deployment, arguments: &[&str]) -> Output {
    deployment.run(&[&["audit", "verify"], arguments].concat())
}

/// The verifications that the command prints as JSON, and its exit status.
fn verify_json(deployment: &Deployment, arguments: &[&str]) -> (Option<i32>, Value) {
    let ran = verify(deployment, &[arguments, &["--output", "json"]].concat());
    let printed = serde_json::from_slice(&ran.stdout);
    (
        ran.status.code(),
        printed.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ran.stderr))),
    )
}

fn export(deployment: &Deployment) -> String {
    let ran = deployment.run(&["audit", "export"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// Runs the verifier for readers of an export.
fn verify_export(lines: &str) -> Output {
    let mut verifier = Command::new("python3")
        .arg(VERIFIER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    verifier.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    verifier.wait_with_output().unwrap()
}

both_databases! {
    async fn verifications_of_a_node_are_counted_by_outcome(deployment: Deployment) {
        let administrator = deployment.init();
        let process = deployment.serve_with(ADMIN).await;
        let caller = process.log_in(administrator).await;
        let verify = "query($expected: [AuditChainPointInput!]) {
            auditVerify(expected: $expected) { outcome } }";
        let outcome = async |expected: Value| {
            let variables = json!({ "expected": expected });
            caller.ask(verify, variables).await.field("auditVerify")["outcome"].clone()
        };
        assert_eq!(outcome(json!([])).await, "INTACT");
        let other = json!([{ "position": 1, "hash": "0".repeat(64) }]);
        assert_eq!(outcome(other).await, "BROKEN");
        let counted = async || {
            let text = scrape(&process).await;
            ["intact", "partial", "differs", "broken"].map(|outcome| {
                let labels = format!("{{outcome=\"{outcome}\"}}");
                sample(&text, &format!("tenant_gateway_audit_verifications_total{labels}"))
            })
        };
        assert_eq!(counted().await, [1.0, 0.0, 1.0, 0.0], "an expectation alone alerts nobody");
        execute(&deployment, "UPDATE audit_log SET actor = 'x' WHERE position = 1").await;
        assert_eq!(outcome(json!([])).await, "BROKEN");
        assert_eq!(counted().await, [1.0, 0.0, 1.0, 1.0]);
    }

    async fn command_verifies_all_tenants_and_fails_if_a_chain_is_broken(deployment: Deployment) {
        deployment.init();
        create_clients(&deployment, 3);
        let (status, found) = verify_json(&deployment, &[]);
        assert_eq!(status, Some(0), "{found}");
        let found = found.as_array().unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        let tenant = found[0]["tenantID"].as_str().unwrap();
        let records = found[0]["verifiedRecords"].as_i64().unwrap();
        assert!(records >= 4, "{found:?}");
        assert_eq!(found[0]["outcome"], "INTACT");
        assert_eq!(found[0]["head"]["position"], records);
        let head = format!("{records}:{}", found[0]["head"]["hash"].as_str().unwrap());
        let table = String::from_utf8(verify(&deployment, &["--tenant", tenant]).stdout).unwrap();
        assert!(table.contains(tenant) && table.contains(&head), "{table}");

        let expecting = ["--tenant", tenant, "--expect", &head];
        assert_eq!(verify_json(&deployment, &expecting).0, Some(0));
        let other = format!("{records}:{}", "0".repeat(64));
        let (status, found) = verify_json(&deployment, &["--tenant", tenant, "--expect", &other]);
        assert_eq!(status, Some(1));
        assert_eq!(found[0]["firstBroken"]["reason"], "EXPECTED_HASH_DIFFERS");

        execute(&deployment, "UPDATE audit_log SET subject = 'x' WHERE position = 2").await;
        let ran = verify(&deployment, &["--all"]);
        assert_eq!(ran.status.code(), Some(1));
        let table = String::from_utf8(ran.stdout).unwrap();
        assert!(table.contains("BROKEN") && table.contains("RECORD_CHANGED"), "{table}");
        let complaint = String::from_utf8(ran.stderr).unwrap();
        assert!(complaint.contains("the audit log of 1 tenant does not verify"), "{complaint}");
        let (status, found) = verify_json(&deployment, &["--tenant", tenant]);
        assert_eq!((status, &found[0]["firstBroken"]["position"]), (Some(1), &json!(2)));
    }

    async fn command_fails_for_unchained_records_only_if_it_is_strict(deployment: Deployment) {
        deployment.init();
        execute(
            &deployment,
            "INSERT INTO audit_log (id, at, actor, tenant_id, operation, outcome, request_id)
             SELECT tenant_id, at, actor, tenant_id, operation, outcome, request_id FROM audit_log
             WHERE position = 1",
        )
        .await;
        let (status, found) = verify_json(&deployment, &[]);
        assert_eq!((status, &found[0]["unchainedLaterRecords"]), (Some(0), &json!(1)));
        assert_eq!(verify(&deployment, &["--strict"]).status.code(), Some(1));
    }

    async fn command_refuses_wrong_arguments(deployment: Deployment) {
        deployment.init();
        let unknown = "11111111-2222-4333-8444-555555555555";
        let ran = verify(&deployment, &["--tenant", unknown]);
        assert_eq!(ran.status.code(), Some(1), "an unknown tenant does not look intact");
        for (arguments, status) in [
            (&["--tenant", "North"][..], 1),
            (&["--from", "yesterday"], 1),
            (&["--from", "2001-01-02T00:00:00Z", "--to", "2001-01-01T00:00:00Z"], 1),
            (&["--tenant", unknown, "--all"], 2),
            (&["--expect", "1:00"], 2),
            (&["--tenant", unknown, "--expect", "1:00"], 2),
        ] {
            let ran = verify(&deployment, arguments);
            assert_eq!(ran.status.code(), Some(status), "{arguments:?}");
        }
    }

    async fn reader_of_an_export_verifies_it_without_the_gateway(deployment: Deployment) {
        deployment.init();
        create_clients(&deployment, 3);
        let lines = export(&deployment);
        let verified = verify_export(&lines);
        let printed = String::from_utf8(verified.stdout).unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        let (_, found) = verify_json(&deployment, &[]);
        let head = &found[0]["head"];
        let expected = format!(
            "{} 1 {} {} 0\n",
            found[0]["tenantID"].as_str().unwrap(),
            head["position"],
            head["hash"].as_str().unwrap()
        );
        assert_eq!(printed, expected);

        let all: Vec<&str> = lines.lines().collect();
        let without = |left_out: usize| {
            let kept = all.iter().enumerate().filter(|(index, _)| *index != left_out);
            kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
        };
        let tail = verify_export(&without(0));
        assert!(tail.status.success(), "an export may begin in the middle of a chain");
        let swapped = [&all[..1], &[all[2], all[1]], &all[3..]].concat().join("\n");
        for tampered in [
            without(1),
            swapped,
            lines.replacen("\"outcome\":\"SUCCEEDED\"", "\"outcome\":\"REFUSED\"", 1),
            lines.replacen("\"count\":1", "\"count\":2,\"count\":1", 1),
            lines.replacen("\"position\":1,", "\"position\":1.0,", 1),
        ] {
            assert_ne!(tampered, lines);
            let refused = verify_export(&tampered);
            assert_eq!(refused.status.code(), Some(1), "{}", String::from_utf8_lossy(&refused.stderr));
        }
    }
}
