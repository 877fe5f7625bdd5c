//! `auditVerify`.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::{add, literal, tenant_with_records, write_records};
use crate::support::{Caller, TestApp, both_databases};

const VERIFY: &str = "query($from: String, $to: String, $after: String,
    $expected: [AuditChainPointInput!]) {
    auditVerify(from: $from, to: $to, after: $after, expected: $expected) {
        tenantID outcome verifiedRecords firstBroken { position recordID reason }
        anchor { position hash } anchorMovedAt head { position hash }
        unchainedRecords unchainedLaterRecords endCursor } }";

async fn verify(caller: &Caller, variables: Value) -> Value {
    caller.ask(VERIFY, variables).await.field("auditVerify")
}

both_databases! {
    async fn administrator_verifies_the_log_of_the_tenant_in_context(app: TestApp) {
        let organization = app.administrator(app.world.organization).await;
        let tenant = tenant_with_records(&app, 3).await;
        let within = organization.within(tenant);
        let found = verify(&within, json!({})).await;
        let document = "{ auditLog { nodes { id position previousHash hash } } }";
        let records = within.ask(document, json!({})).await.field("auditLog")["nodes"].clone();
        assert_eq!(records[1]["position"], 2);
        assert_eq!(records[0]["previousHash"], records[1]["hash"]);
        let none = "0".repeat(64);
        assert_eq!(records[2]["previousHash"], json!(none));
        let expected = json!({
            "tenantID": tenant,
            "outcome": "INTACT",
            "verifiedRecords": 3,
            "firstBroken": null,
            "anchor": { "position": 0, "hash": none },
            "anchorMovedAt": null,
            "head": { "position": 3, "hash": records[0]["hash"] },
            "unchainedRecords": 0,
            "unchainedLaterRecords": 0,
            "endCursor": null,
        });
        assert_eq!(found, expected);
        let kept = json!({ "expected": [found["head"]] });
        assert_eq!(verify(&within, kept).await["outcome"], "INTACT");

        let id = literal(&app, tenant);
        let change = format!("UPDATE audit_log SET actor = 'x' WHERE tenant_id = {id} AND position = 2");
        app.operator.execute(&change).await;
        let found = verify(&within, json!({})).await;
        assert_eq!((&found["outcome"], &found["verifiedRecords"]), (&json!("BROKEN"), &json!(1)));
        let broken =
            json!({ "position": 2, "recordID": records[1]["id"], "reason": "RECORD_CHANGED" });
        assert_eq!(found["firstBroken"], broken);
        let above = verify(&organization, json!({})).await;
        assert_eq!(above["outcome"], "INTACT", "the chain of a tenant is its own");
    }

    async fn expected_place_that_the_chain_does_not_have_is_found(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let head = verify(&administrator, json!({})).await["head"].clone();
        let other = json!({ "position": head["position"], "hash": "f".repeat(64) });
        let found = verify(&administrator, json!({ "expected": [head, other] })).await;
        assert_eq!(found["firstBroken"]["reason"], "EXPECTED_HASH_DIFFERS");
        let later = json!({ "position": 1_000_000, "hash": head["hash"] });
        let found = verify(&administrator, json!({ "expected": [later] })).await;
        assert_eq!(found["firstBroken"]["recordID"], Value::Null);
    }

    async fn period_limits_what_is_verified(app: TestApp) {
        let organization = app.administrator(app.world.organization).await;
        let tenant = tenant_with_records(&app, 3).await;
        app.advance(60);
        let from = app.in_seconds(0);
        add(&app, tenant, 2).await;
        app.advance(60);
        let to = app.in_seconds(0);
        add(&app, tenant, 4).await;
        let within = organization.within(tenant);
        let count = async |variables: Value| {
            let found = verify(&within, variables).await;
            (found["outcome"].clone(), found["verifiedRecords"].clone())
        };
        let intact = |count: u64| (json!("INTACT"), json!(count));
        assert_eq!(count(json!({ "from": from, "to": to })).await, intact(2));
        assert_eq!(count(json!({ "from": from })).await, intact(6));
        assert_eq!(count(json!({ "to": to })).await, intact(5));
        assert_eq!(count(json!({ "to": "2001-01-01T00:00:00Z" })).await, intact(0));
        let id = literal(&app, tenant);
        for (position, outcome) in [(1, "INTACT"), (8, "INTACT"), (5, "BROKEN")] {
            let change = format!(
                "UPDATE audit_log SET actor = 'x' WHERE tenant_id = {id} AND position = {position}"
            );
            app.operator.execute(&change).await;
            let found = count(json!({ "from": from, "to": to })).await;
            assert_eq!(found.0, json!(outcome), "{position}");
        }
    }

    async fn verification_is_refused_where_the_audit_log_is(app: TestApp) {
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(auditor.ask(VERIFY, json!({})).await.code(), "FORBIDDEN");
        let administrator = app.administrator(app.world.north).await;
        for foreign in [app.world.south, app.world.organization] {
            let refused = administrator.within(foreign).ask(VERIFY, json!({})).await;
            assert_eq!(refused.code(), "FORBIDDEN");
        }
        let wrong = [
            json!({ "from": "yesterday" }),
            json!({ "to": "" }),
            json!({ "after": "rubbish" }),
            json!({ "expected": [{ "position": -1, "hash": "0".repeat(64) }] }),
            json!({ "expected": [{ "position": 1, "hash": "0" }] }),
            json!({ "expected": vec![json!({ "position": 0, "hash": "0".repeat(64) }); 21] }),
        ];
        for variables in wrong {
            let answer = administrator.ask(VERIFY, variables.clone()).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{variables}");
        }
    }

    async fn long_log_is_verified_in_several_calls(app: TestApp) {
        let organization = app.administrator(app.world.organization).await;
        let tenant = tenant_with_records(&app, 1).await;
        for _ in 0..3 {
            write_records(&app, &vec![tenant; 7_000], "many").await.unwrap();
        }
        let within = organization.within(tenant);
        let mut verified = 0;
        let mut after = Value::Null;
        let mut outcomes = Vec::new();
        loop {
            let found = verify(&within, json!({ "after": after })).await;
            verified += found["verifiedRecords"].as_u64().unwrap();
            outcomes.push(found["outcome"].clone());
            after = found["endCursor"].clone();
            if after.is_null() {
                break;
            }
        }
        assert_eq!(verified, 21_001);
        assert_eq!(outcomes.first(), Some(&json!("PARTIAL")));
        assert_eq!(outcomes.last(), Some(&json!("INTACT")));
    }
}
