//! Pruning leaves an anchor, from which the rest of the chain is verified.

use std::time::Duration;

use tenant_gateway::audit::{BreakReason, Request};
use tenant_gateway::ids::TenantId;

use super::{
    add, assert_intact, broken, expecting, late_failure, literal, number, tenant_with_records,
    verify, verify_as, write_records,
};
use crate::support::{TestApp, both_databases, eventually};

const HOUR: u64 = 3600;

async fn prune(app: &TestApp, hours: u64) {
    app.background_jobs.prune_audit(Duration::from_secs(hours * HOUR)).await.unwrap();
}

/// Prunes what is older than an hour until the chain has that anchor. The job of the gateway, which
/// prunes less, may hold the lock of pruning for a moment.
async fn prune_until_anchor(app: &TestApp, tenant: TenantId, position: i64) {
    eventually(20, "the anchor", async || {
        prune(app, 1).await;
        let anchor = verify(app, tenant).await.anchor.position;
        assert!(anchor <= position, "{anchor}");
        (anchor == position).then_some(())
    })
    .await;
}

/// Dates the first records of a chain a multiple of 30 years ahead.
async fn date_ahead(app: &TestApp, tenant: TenantId, records: u32, times: u32) {
    let id = literal(app, tenant);
    let sql = format!(
        "UPDATE audit_log SET at = at + {times} * 1000000000000 WHERE tenant_id = {id}
         AND position <= {records}"
    );
    app.operator.execute(&sql).await;
}

both_databases! {
    async fn pruned_chain_is_verified_from_its_anchor(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        let old = verify(&app, tenant).await.head;
        add(&app, tenant, 2).await;
        let anchored = verify(&app, tenant).await.head;
        app.advance(2 * HOUR);
        add(&app, tenant, 4).await;
        prune_until_anchor(&app, tenant, 5).await;
        let found = verify(&app, tenant).await;
        assert_eq!((found.outcome(), found.verified), ("INTACT", 4), "{found:?}");
        assert_eq!(found.anchor, anchored);
        assert_eq!(found.anchor_moved_at, Some(app.now()));
        assert_eq!(found.head.position, 9);
        assert_eq!(broken(&verify_as(&app, tenant, expecting(&anchored)).await), None);
        let found = verify_as(&app, tenant, expecting(&old)).await;
        assert_eq!(broken(&found), Some((3, BreakReason::ExpectedPruned)));

        app.advance(2 * HOUR);
        prune_until_anchor(&app, tenant, 9).await;
        let found = verify(&app, tenant).await;
        assert_eq!((found.outcome(), found.verified), ("INTACT", 0));
        assert_eq!(found.anchor, found.head);
        add(&app, tenant, 1).await;
        let found = verify(&app, tenant).await;
        assert_eq!((found.outcome(), found.head.position), ("INTACT", 10));
    }

    async fn record_older_than_the_retention_stays_while_a_younger_one_is_before_it(app: TestApp) {
        let tenant = tenant_with_records(&app, 2).await;
        // It is written hours after it happened.
        let late = late_failure(&app, tenant);
        app.advance(2 * HOUR);
        add(&app, tenant, 1).await;
        late.write_failures(None).await.unwrap();
        prune_until_anchor(&app, tenant, 2).await;
        let found = verify(&app, tenant).await;
        assert_eq!((found.outcome(), found.verified), ("INTACT", 2), "{found:?}");
        let id = literal(&app, tenant);
        let ages = format!("SELECT MAX(at) - MIN(at) FROM audit_log WHERE tenant_id = {id}");
        assert_eq!(number(&app, &ages).await, 2 * 3_600_000, "the newest record is the oldest");
        app.advance(2 * HOUR);
        prune_until_anchor(&app, tenant, 4).await;
    }

    async fn record_of_the_future_does_not_end_the_retention(app: TestApp) {
        let tenant = tenant_with_records(&app, 2).await;
        date_ahead(&app, tenant, 2, 1).await;
        add(&app, tenant, 2).await;
        app.advance(2 * HOUR);
        add(&app, tenant, 1).await;
        prune_until_anchor(&app, tenant, 4).await;
        assert_eq!(verify(&app, tenant).await.head.position, 5);
    }

    async fn many_records_of_the_future_do_not_end_the_retention(app: TestApp) {
        let tenant = tenant_with_records(&app, 1).await;
        write_records(&app, &[tenant; 600], "old").await.unwrap();
        date_ahead(&app, tenant, 600, 1).await;
        app.advance(2 * HOUR);
        add(&app, tenant, 1).await;
        prune_until_anchor(&app, tenant, 601).await;
        assert_intact(&app, tenant, 1).await;
    }

    async fn records_of_the_future_before_young_ones_hold_up_no_other_chain(app: TestApp) {
        let old = tenant_with_records(&app, 2).await;
        date_ahead(&app, old, 1, 2).await;
        app.advance(2 * HOUR);
        let mut young = Vec::new();
        for _ in 0..51 {
            let tenant = tenant_with_records(&app, 2).await;
            date_ahead(&app, tenant, 1, 1).await;
            young.push(tenant);
        }
        prune_until_anchor(&app, old, 2).await;
        for tenant in young {
            assert_eq!(verify(&app, tenant).await.anchor.position, 0);
        }
    }

    async fn period_behind_the_anchor_is_verified(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        app.advance(2 * HOUR);
        let from = Some(app.now());
        add(&app, tenant, 2).await;
        prune_until_anchor(&app, tenant, 3).await;
        app.advance(60);
        let later = Some(app.now());
        add(&app, tenant, 3).await;
        for (from, verified) in [(from, 5), (later, 3)] {
            let found = verify_as(&app, tenant, Request { from, ..Request::default() }).await;
            assert_eq!((found.outcome(), found.verified), ("INTACT", verified), "{found:?}");
            assert!(found.reached_head);
        }
    }

    async fn record_removed_at_the_start_of_a_pruned_chain_is_found(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        app.advance(2 * HOUR);
        add(&app, tenant, 3).await;
        prune_until_anchor(&app, tenant, 3).await;
        let id = literal(&app, tenant);
        let sql = format!("DELETE FROM audit_log WHERE tenant_id = {id} AND position = 4");
        app.operator.execute(&sql).await;
        assert_eq!(broken(&verify(&app, tenant).await), Some((4, BreakReason::Missing)));
    }

    async fn verification_in_parts_goes_on_behind_records_pruned_meanwhile(app: TestApp) {
        let tenant = tenant_with_records(&app, 5).await;
        app.advance(2 * HOUR);
        add(&app, tenant, 3).await;
        let limits = Some((2, Duration::from_mins(1)));
        let found = verify_as(&app, tenant, Request { limits, ..Request::default() }).await;
        assert_eq!((found.outcome(), found.verified, found.stopped_at), ("PARTIAL", 2, Some(2)));
        prune_until_anchor(&app, tenant, 5).await;
        let after = found.stopped_at;
        let found = verify_as(&app, tenant, Request { after, ..Request::default() }).await;
        assert_eq!((found.outcome(), found.verified), ("INTACT", 3), "{found:?}");
        assert_eq!(found.anchor.position, 5);
    }

    async fn many_chains_are_pruned_in_one_round_and_stay_intact(app: TestApp) {
        let mut tenants = Vec::new();
        for _ in 0..60 {
            tenants.push(tenant_with_records(&app, 2).await);
        }
        let long = tenant_with_records(&app, 1).await;
        write_records(&app, &vec![long; 1200], "old").await.unwrap();
        app.advance(2 * HOUR);
        tenants.push(long);
        for tenant in &tenants {
            add(&app, *tenant, 1).await;
        }
        prune_until_anchor(&app, long, 1201).await;
        for tenant in tenants {
            assert_intact(&app, tenant, 1).await;
        }
    }
}
