//! Rows that no gateway writes neither stop a verification, an export or the retention, nor hide.

use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::Value;
use tenant_gateway::audit::{BreakReason, Request, Verification};
use tenant_gateway::clock::Timestamp;
use tenant_gateway::error::Error;
use tenant_gateway::ids::TenantId;

use super::tampering::{insert_copy, place};
use super::{add, allow_numbers, broken, literal, number, tenant_with_records, verify_as};
use crate::support::{TestApp, both_databases};

/// Changes the row of the chain.
async fn forge(app: &TestApp, tenant: TenantId, changes: &str) {
    let id = literal(app, tenant);
    let sql = format!("UPDATE audit_chains SET {changes} WHERE tenant_id = {id}");
    app.operator.execute(&sql).await;
}

/// Verifies within a minute: a walk that does not advance must fail the test.
async fn verify(app: &TestApp, tenant: TenantId, request: Request) -> Verification {
    let verification = verify_as(app, tenant, request);
    tokio::time::timeout(Duration::from_mins(1), verification).await.expect("an end")
}

/// The records about the tenant in an export of all times.
async fn export(app: &TestApp, tenant: TenantId) -> Vec<Value> {
    let mut records = Vec::new();
    let take = |record: Value| {
        records.push(record);
        Ok::<_, Error>(ControlFlow::Continue(()))
    };
    let all = Timestamp::MIN..Timestamp::MAX;
    app.operator.core.audit.export(&all, take).await.unwrap();
    records.retain(|record| record["tenantID"] == tenant.to_string());
    records
}

both_databases! {
    async fn anchor_at_the_end_of_all_positions_is_found(app: TestApp) {
        let anchor = format!("anchor_position = {}", i64::MAX);
        let head = format!("{anchor}, position = {}", i64::MAX);
        for changes in [&anchor, &head] {
            let tenant = tenant_with_records(&app, 3).await;
            forge(&app, tenant, changes).await;
            for after in [None, Some(2), Some(i64::MIN), Some(i64::MAX)] {
                let request = Request { after, ..Request::default() };
                let found = verify(&app, tenant, request).await;
                assert_eq!(broken(&found), Some((1, BreakReason::BeforeAnchor)), "{found:?}");
            }
            let id = literal(&app, tenant);
            app.operator.execute(&format!("DELETE FROM audit_log WHERE tenant_id = {id}")).await;
            let found = verify(&app, tenant, Request::default()).await;
            assert_eq!(broken(&found).map(|broken| broken.1), Some(BreakReason::OtherHead));
        }
    }

    async fn anchor_behind_the_head_of_an_empty_chain_is_found(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        let id = literal(&app, tenant);
        app.operator.execute(&format!("DELETE FROM audit_log WHERE tenant_id = {id}")).await;
        forge(&app, tenant, "anchor_position = 4").await;
        let found = verify(&app, tenant, Request::default()).await;
        assert_eq!(broken(&found), Some((3, BreakReason::OtherHead)), "{found:?}");
    }

    async fn anchor_at_the_end_of_all_positions_does_not_stop_the_retention(app: TestApp) {
        let tenant = tenant_with_records(&app, 2).await;
        forge(&app, tenant, &format!("anchor_position = {}", i64::MAX)).await;
        app.advance(7200);
        let audit = &app.operator.core.audit;
        audit.prune(app.now()).await.unwrap();
        let id = literal(&app, tenant);
        let left = format!("SELECT COUNT(*) FROM audit_log WHERE tenant_id = {id}");
        assert_eq!(number(&app, &left).await, 0);
    }

    async fn record_at_the_first_of_all_positions_is_found_and_exported(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        place(&app, tenant, 1, i64::MIN).await;
        let from = Some(Timestamp::MIN);
        for request in [Request::default(), Request { from, ..Request::default() }] {
            let found = verify(&app, tenant, request).await;
            assert_eq!(broken(&found), Some((i64::MIN, BreakReason::BeforeAnchor)), "{found:?}");
        }
        let records = export(&app, tenant).await;
        let positions: Vec<_> = records.iter().map(|record| record["position"].as_i64()).collect();
        assert_eq!(positions, [Some(i64::MIN), Some(2), Some(3)]);
    }

    async fn unchained_record_with_a_negative_number_is_exported(app: TestApp) {
        let tenant = tenant_with_records(&app, 1).await;
        insert_copy(&app, tenant, 1, "NULL").await;
        allow_numbers(&app).await;
        let id = literal(&app, tenant);
        let sql =
            format!("UPDATE audit_log SET seq = -seq WHERE tenant_id = {id} AND position IS NULL");
        app.operator.execute(&sql).await;
        add(&app, tenant, 1).await;
        assert_eq!(export(&app, tenant).await.len(), 3);
    }
}
