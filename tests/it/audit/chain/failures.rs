//! Failed authentications in chains that take no record wait, and those in others do not.

use tenant_gateway::ids::TenantId;

use super::tampering::insert_copy;
use super::{
    assert_intact, broken, fail, late_failure, literal, number, tenant_with_records, verify,
};
use crate::support::{TestApp, both_databases};

/// Takes inserted records out of the chain, as the runbook has it.
async fn take_out_inserted(app: &TestApp, tenant: TenantId) {
    let id = literal(app, tenant);
    let sql = format!(
        "UPDATE audit_log SET position = NULL WHERE tenant_id = {id} AND position >
         (SELECT position FROM audit_chains WHERE audit_chains.tenant_id = audit_log.tenant_id)"
    );
    app.operator.execute(&sql).await;
}

both_databases! {
    async fn spoilt_chain_keeps_no_failure_from_the_logs_of_others(app: TestApp) {
        let spoilt = tenant_with_records(&app, 3).await;
        let other = tenant_with_records(&app, 1).await;
        insert_copy(&app, spoilt, 3, "4").await;
        let audit = late_failure(&app, spoilt);
        fail(&audit, other);
        audit.write_failures(None).await.unwrap_err();
        assert_intact(&app, other, 2).await;
        assert!(audit.has_failures(), "the failure in the spoilt chain waits");

        take_out_inserted(&app, spoilt).await;
        audit.write_failures(None).await.unwrap();
        assert!(!audit.has_failures());
        let found = verify(&app, spoilt).await;
        assert_eq!((broken(&found), found.verified, found.unchained_since), (None, 4, 1));
    }

    async fn failures_that_waited_are_written_in_the_order_of_their_arrival(app: TestApp) {
        let mut tenants = Vec::new();
        for _ in 0..8 {
            let tenant = tenant_with_records(&app, 1).await;
            insert_copy(&app, tenant, 1, "2").await;
            tenants.push(tenant);
        }
        let audit = late_failure(&app, tenants[0]);
        tenants[1..].iter().for_each(|tenant| fail(&audit, *tenant));
        audit.write_failures(None).await.unwrap_err();
        let newest = tenant_with_records(&app, 1).await;
        fail(&audit, newest);
        for tenant in &tenants {
            take_out_inserted(&app, *tenant).await;
        }
        audit.write_failures(None).await.unwrap();
        tenants.push(newest);
        let mut numbers = Vec::new();
        for tenant in tenants {
            let id = literal(&app, tenant);
            let sql = format!("SELECT seq FROM audit_log WHERE tenant_id = {id} AND actor = 'late'");
            numbers.push(number(&app, &sql).await);
        }
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}
