//! Verification of the part of a chain that a period has.

use tenant_gateway::audit::{BreakReason, Request};
use tenant_gateway::clock::Timestamp;

use super::{
    add, allow_numbers, broken, expecting, late_failure, set, tenant_with_records, verify,
    verify_as,
};
use crate::support::{TestApp, both_databases};

const HOUR: u64 = 3600;

fn period(from: Timestamp, to: Timestamp) -> Request {
    Request { from: Some(from), to: Some(to), ..Request::default() }
}

both_databases! {
    async fn every_record_of_a_period_is_verified_though_times_do_not_rise(app: TestApp) {
        let tenant = tenant_with_records(&app, 2).await;
        app.advance(HOUR);
        let from = app.now();
        let late = late_failure(&app, tenant);
        let later = late_failure(&app, tenant);
        app.advance(HOUR);
        add(&app, tenant, 1).await;
        late.write_failures(None).await.unwrap();
        add(&app, tenant, 1).await;
        later.write_failures(None).await.unwrap();
        app.advance(1);
        let to = app.now();
        add(&app, tenant, 1).await;

        let found = verify_as(&app, tenant, period(from, to)).await;
        assert_eq!((found.outcome(), found.verified), ("INTACT", 4), "{found:?}");
        for position in [3, 6] {
            set(&app, tenant, position, "actor", "actor || '!'").await;
            let found = verify_as(&app, tenant, period(from, to)).await;
            assert_eq!(broken(&found), Some((position, BreakReason::Changed)), "{found:?}");
            set(&app, tenant, position, "actor", "replace(actor, '!', '')").await;
        }
    }

    async fn number_out_of_order_at_an_end_of_the_period_is_found(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        app.advance(HOUR);
        let from = app.now();
        add(&app, tenant, 3).await;
        app.advance(HOUR);
        let to = app.now();
        add(&app, tenant, 2).await;
        allow_numbers(&app).await;
        for (position, forged, restored, found_at) in
            [(4, "-seq", "-seq", 4), (6, "seq + 1000000", "seq - 1000000", 7)]
        {
            let found = verify_as(&app, tenant, period(from, to)).await;
            assert_eq!((broken(&found), found.verified), (None, 3));
            set(&app, tenant, position, "seq", forged).await;
            let found = verify_as(&app, tenant, period(from, to)).await;
            assert_eq!(broken(&found), Some((found_at, BreakReason::Changed)), "{found:?}");
            set(&app, tenant, position, "seq", restored).await;
        }
    }

    async fn expected_record_that_was_changed_is_found_outside_of_the_period(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        let kept = verify(&app, tenant).await.head;
        app.advance(HOUR);
        let from = Some(app.now());
        add(&app, tenant, 2).await;
        let request = Request { from, ..expecting(&kept) };
        assert_eq!(broken(&verify_as(&app, tenant, request.clone()).await), None);
        set(&app, tenant, 3, "actor", "'x'").await;
        let found = verify_as(&app, tenant, request).await;
        assert_eq!((broken(&found), found.verified), (Some((3, BreakReason::Changed)), 2));
    }
}
