//! Repeated refusals of one caller are merged into few records, and no request waits for them.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::log;
use crate::oauth::asking::narrowed;
use crate::support::{Caller, Credentials, TestApp, both_databases, eventually};

fn total(records: &[Value]) -> i64 {
    records.iter().map(|record| record["count"].as_i64().unwrap()).sum()
}

async fn failures(reader: &Caller) -> Vec<Value> {
    log(reader, "operation: \"token\", outcome: REFUSED, first: 100").await
}

both_databases! {
    async fn equal_refusals_of_one_request_are_one_record(app: TestApp) {
        let administrator = app.administrator(app.world.top).await;
        let narrow = narrowed(&administrator, &[("scope", "clients:read")]).await;
        let tenants = "tenants(tenantsQuery: {}) { tenants { upstreamLinks { id } } }";
        let document = format!("{{ one: {tenants} two: {tenants} currentSubject {{ id }} }}");
        let body = narrow.ask(&document, json!({})).await.body;
        let omitted = body["extensions"]["errorsOmitted"].as_i64().unwrap_or(0);
        let errors = i64::try_from(body["errors"].as_array().unwrap().len()).unwrap() + omitted;
        assert!(errors >= 10, "{body}");
        let records = log(&administrator, "outcome: REFUSED").await;
        assert_eq!(records.len(), 1, "{records:?}");
        assert_eq!(
            (&records[0]["operation"], &records[0]["code"]),
            (&json!("tenants"), &json!("FORBIDDEN"))
        );
        assert_eq!(records[0]["count"], json!(errors));
    }

    async fn equal_failed_sign_ins_are_merged_into_few_records_and_all_counted(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let other = app.credentials(app.world.north, Role::Auditor).await;
        let wrong = Credentials { secret: other.secret, ..robot };
        // Blocks writes until all requests have been answered.
        let write = app.operator.database.begin().await.unwrap();
        for _ in 0..10 {
            assert!(join_all((0..30).map(|_| app.works(&wrong))).await.iter().all(|works| !works));
        }
        drop(write);
        eventually(20, "the records of the failures", async || {
            (total(&failures(&administrator).await) == 300).then_some(())
        })
        .await;
        let records = failures(&administrator).await;
        assert!(records.len() <= 20, "{} records of 300 failures", records.len());
        assert!(
            records
                .iter()
                .all(|record| record["actor"] == json!(wrong.id)
                    && record["reason"] == "wrong_secret")
        );
    }

    async fn queued_failed_sign_ins_do_not_delay_mutations(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let secret = app.credentials(app.world.north, Role::Auditor).await.secret;
        let guess = |number| Credentials {
            id: String::new(),
            client_id: format!("guess-{number}"),
            secret: secret.clone(),
        };
        let write = app.operator.database.begin().await.unwrap();
        for round in 0..10 {
            join_all(
                (0..40).map(async |number| assert!(!app.works(&guess(round * 40 + number)).await)),
            )
            .await;
        }
        // Sent after all of them; at most one batch is ahead of it in the queue.
        let asked = tokio::spawn({
            let administrator = administrator.clone();
            async move { administrator.create("in between", &[]).await }
        });
        drop(write);
        asked.await.unwrap();
        let top = app.administrator(app.world.top).await;
        eventually(20, "the records of the failures", async || {
            let mut records = failures(&top).await;
            while records.len() % 100 == 0 && !records.is_empty() {
                let before = records.last().unwrap()["id"].clone();
                let more = next(&top, records.len()).await;
                records.extend(more);
                if records.last().unwrap()["id"] == before {
                    break;
                }
            }
            (total(&records) == 400).then_some(())
        })
        .await;
    }
}

/// The page of a hundred records after the cursor.
async fn next(reader: &Caller, after: usize) -> Vec<Value> {
    let document =
        "query($after: String) { auditLog(operation: \"token\", outcome: REFUSED, first: 100, after:
        $after) {
        pageInfo { endCursor } nodes { id count } } }";
    let mut cursor = Value::Null;
    for _ in 0..after / 100 {
        cursor = reader
            .ask(
                document,
                json!({
                    "after": cursor,
                }),
            )
            .await
            .field("auditLog")["pageInfo"]["endCursor"]
            .clone();
    }
    reader.ask(document, json!({ "after": cursor })).await.field("auditLog")["nodes"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn queued_audit_records_are_written_at_shutdown() {
    let app = <TestApp as crate::support::OnEngine>::on(crate::support::Engine::Sqlite).await;
    let robot = app.credentials(app.world.north, Role::Auditor).await;
    let other = app.credentials(app.world.north, Role::Auditor).await;
    let another = app.another_node().await;
    let administrator = app.administrator(app.world.north).await;
    assert!(!another.works(&Credentials { secret: other.secret, ..robot }).await);
    another.stop().await;
    assert_eq!(total(&failures(&administrator).await), 1);
}
