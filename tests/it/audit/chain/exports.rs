//! Exports of periods, which their readers verify alone and one after another.

use std::ops::{ControlFlow, Range};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use tenant_gateway::clock::Timestamp;
use tenant_gateway::error::Error;
use tenant_gateway::ids::TenantId;

use super::tampering::set_back;
use super::{add, late_failure, tenant_with_records, write_records};
use crate::support::{TestApp, both_databases};

const VERIFIER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ops/audit/verify_export.py");

/// The records about the tenant in an export of the period.
async fn export(app: &TestApp, tenant: TenantId, period: Range<Timestamp>) -> Vec<Value> {
    let mut records = Vec::new();
    let take = |record: Value| {
        records.push(record);
        Ok::<_, Error>(ControlFlow::Continue(()))
    };
    app.operator.core.audit.export(&period, take).await.unwrap();
    records.retain(|record| record["tenantID"] == tenant.to_string());
    records
}

fn positions(records: &[Value]) -> Vec<i64> {
    records.iter().map(|record| record["position"].as_i64().unwrap()).collect()
}

/// Runs the verifier for readers on files with these records.
fn verify(days: &[&[Value]]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut verifier = Command::new("python3");
    verifier.arg(VERIFIER);
    for (number, records) in days.iter().enumerate() {
        let file = folder.path().join(format!("{number}.ndjson"));
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        std::fs::write(&file, lines).unwrap();
        verifier.arg(file);
    }
    verifier.output().expect("Python starts")
}

both_databases! {
    async fn exports_of_two_days_verify_though_a_record_is_written_after_midnight(app: TestApp) {
        let start = app.now();
        let tenant = tenant_with_records(&app, 2).await;
        let late = late_failure(&app, tenant);
        app.advance(1);
        let midnight = app.now();
        add(&app, tenant, 1).await;
        late.write_failures(None).await.unwrap();
        add(&app, tenant, 1).await;
        let end = app.now().plus(Duration::from_secs(1));

        let first = export(&app, tenant, start..midnight).await;
        let second = export(&app, tenant, midnight..end).await;
        assert_eq!(positions(&first), [1, 2, 3, 4], "the failure at 4 is of the first day");
        assert_eq!(positions(&second), [3, 4, 5]);
        for days in [&[&first[..]][..], &[&second], &[&first, &second]] {
            let verified = verify(days);
            assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        }
        let mut other = second.clone();
        other[0] = first[1].clone();
        other[0]["position"] = 3.into();
        assert!(!verify(&[&first, &other]).status.success(), "a repeated record was changed");
        assert!(!verify(&[&first[..2], &second[1..]]).status.success(), "one is missing");
        let again = [&second[..], &second[1..]].concat();
        assert!(!verify(&[&first, &again]).status.success(), "only the beginning may repeat");
        assert!(verify(&[&first, &second[..1]]).status.success(), "no more than a repetition");
    }

    async fn exports_that_repeat_many_records_verify_unless_one_of_them_differs(app: TestApp) {
        let tenant = tenant_with_records(&app, 1).await;
        write_records(&app, &[tenant; 299], "kept").await.unwrap();
        let end = || app.now().plus(Duration::from_secs(1));
        let first = export(&app, tenant, Timestamp::MIN..end()).await;
        add(&app, tenant, 1).await;
        let second = export(&app, tenant, Timestamp::MIN..end()).await;
        assert!(verify(&[&first, &second[10..]]).status.success());
        assert!(!verify(&[&first, &second[10..20]]).status.success(), "nothing to compare with");
        set_back(&app, tenant, 100).await;
        write_records(&app, &[tenant; 250], "other").await.unwrap();
        let other = export(&app, tenant, Timestamp::MIN..end()).await;
        assert!(verify(&[&other]).status.success());
        for part in [&other[10..], &other[100..110], &other[200..300], &other[299..]] {
            assert!(!verify(&[&first, part]).status.success(), "{:?}", positions(part));
        }
    }
}
