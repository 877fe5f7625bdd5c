//! Keys that nobody can use: found, and deleted.

use std::time::Duration;

use tenant_gateway::clock::Clock as _;
use tenant_gateway::deep_security::keys::{KeyFigures, figures};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;

use super::super::rig::{Rig, ask, see};
use super::{COMPUTERS, TEN_MINUTES, ends, leave_stray, rows, silent_manager, unlink};
use crate::support::{both_databases, eventually, notes};

both_databases! {
    async fn keys_are_counted_by_state_with_their_first_expiry(rig: Rig) {
        let database = rig.operator.database.clone();
        let figures = async || figures(database.reader()).await.unwrap();
        assert_eq!(figures().await, KeyFigures::default());
        see(&rig.reader(rig.world.north).await, COMPUTERS).await;
        let first = ends(&rig, "READ").into_iter().min();
        leave_stray(&rig.manager, &rig.writer(rig.world.north).await).await;
        let counted = figures().await;
        let states = (counted.pending, counted.live, counted.spent, counted.stray);
        assert_eq!(states, (0, 2, 0, 1));
        let live = "SELECT MIN(expires_at) FROM tenant_keys WHERE state = 'LIVE'";
        assert_eq!(counted.first_expiry.map(|end| end.millis()), Some(rows(&rig, live).await));
        assert!(counted.first_expiry.map(|end| end.millis()) <= first, "{counted:?}");
    }

    async fn unverifiable_keys_are_minted_only_until_backoff(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order_always(Calls::to("GET", "/apikeys/current"), Fault::Html);
        for _ in 0..10 {
            assert_eq!(ask(&reader, COMPUTERS).await.code(), "UPSTREAM_MALFORMED");
            assert_eq!(ask(&writer, COMPUTERS).await.code(), "UPSTREAM_MALFORMED");
        }
        assert_eq!(rig.mints(), 6);
        let left = rig.minted("North");
        assert!(
            left.iter().all(|name| name.ends_with(" READ")),
            "keys that may have deleted themselves: {left:?}"
        );
        assert_eq!(
            rows(&rig, "SELECT COUNT(*) FROM tenant_keys").await,
            1,
            "one row is enough to search for the remaining strays"
        );
    }

    async fn lost_response_leaves_one_stray_that_cleanup_finds_by_name(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::LoseAnswer, 1);
        let answer = ask(&writer, COMPUTERS).await;
        assert_eq!(answer.code(), "UPSTREAM_UNAVAILABLE");
        assert_eq!(
            answer.body["errors"][0]["extensions"]["retryable"], true,
            "the caller's request was not sent"
        );
        see(&writer, COMPUTERS).await;
        assert_eq!(rig.minted("North").len(), 2);
        rig.background_jobs.clean_up().await.unwrap();
        assert_eq!(rig.minted("North").len(), 1);
        see(&writer, COMPUTERS).await;
        assert_eq!(rig.mints(), 2);
    }

    async fn stray_of_a_deleted_link_is_deleted_with_a_key_of_the_next(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::LoseAnswer, 1);
        assert_eq!(ask(&writer, COMPUTERS).await.code(), "UPSTREAM_UNAVAILABLE");
        unlink(&rig, &writer).await;
        rig.link(rig.world.north, Some("North")).await;
        see(&writer, COMPUTERS).await;
        assert_eq!(rig.minted("North").len(), 2);
        rig.background_jobs.clean_up().await.unwrap();
        assert_eq!(rig.minted("North").len(), 1);
        assert_eq!(rows(&rig, "SELECT COUNT(*) FROM tenant_keys").await, 1);
        see(&writer, COMPUTERS).await;
        assert_eq!(rig.mints(), 2);
    }

    async fn stray_is_deleted_with_a_key_of_the_next_linked_tenant(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::LoseAnswer, 1);
        assert_eq!(ask(&writer, COMPUTERS).await.code(), "UPSTREAM_UNAVAILABLE");
        unlink(&rig, &writer).await;
        rig.link(rig.world.organization, Some("North")).await;
        let next = rig.writer(rig.world.organization).await;
        see(&next, COMPUTERS).await;
        assert_eq!(rig.minted("North").len(), 2);
        rig.background_jobs.clean_up().await.unwrap();
        let left = rig.minted("North");
        assert!(
            left.len() == 1 && left[0].contains(&rig.world.organization.to_string()),
            "{left:?}"
        );
        see(&next, COMPUTERS).await;
        assert_eq!(rig.mints(), 2);
    }

    async fn key_with_full_access_whose_answer_is_lost_lives_for_minutes(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::LoseAnswer, 1);
        assert_eq!(ask(&writer, COMPUTERS).await.code(), "UPSTREAM_UNAVAILABLE");
        assert_eq!(
            ends(&rig, "FULL"),
            [rig.clock.now().plus(TEN_MINUTES).millis()],
            "the key expires by itself"
        );
        see(&writer, COMPUTERS).await;
        let day = rig.clock.now().plus(Duration::from_hours(24)).millis();
        assert!(
            ends(&rig, "FULL").contains(&day),
            "a verified key is extended: {:?}",
            ends(&rig, "FULL")
        );
        rig.advance(3600);
        see(&writer.again().await, COMPUTERS).await;
        assert_eq!(rig.mints(), 2, "the key still works");
    }

    async fn stray_is_removed_through_the_primary_manager_where_no_other_key_works(rig: Rig) {
        for (caller, access) in [
            (rig.writer(rig.world.north).await, "FULL"),
            (rig.reader(rig.world.north).await, "READ"),
        ] {
            rig.manager.forget_calls();
            rig.manager.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::LoseAnswer, 1);
            assert_eq!(ask(&caller, COMPUTERS).await.code(), "UPSTREAM_UNAVAILABLE");
            unlink(&rig, &rig.partner).await;
            assert_eq!(ends(&rig, access).len(), 1);
            rig.background_jobs.clean_up().await.unwrap();
            assert_eq!(
                rig.minted("North"),
                Vec::<String>::new(),
                "neither the stray nor the key that removed it is left"
            );
            assert_eq!(rows(&rig, "SELECT COUNT(*) FROM tenant_keys").await, 0);
            rig.background_jobs.clean_up().await.unwrap();
            assert_eq!(rig.mints(), 2, "no key is minted if no stray is left");
            rig.link(rig.world.north, Some("North")).await;
        }
    }

    async fn removal_through_the_primary_manager_leaves_no_more_strays_than_it_finds(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::LoseAnswer, 2);
        assert_eq!(ask(&writer, COMPUTERS).await.code(), "UPSTREAM_UNAVAILABLE");
        for _ in 0..5 {
            rig.background_jobs.clean_up().await.unwrap();
        }
        assert_eq!(rig.mints(), 2, "one attempt in ten minutes");
        see(&writer, COMPUTERS).await;
        rig.background_jobs.clean_up().await.unwrap();
        assert_eq!(rig.minted("North").len(), 1, "a key in use removes both");
    }

    async fn unused_minted_key_is_deleted_with_its_own_secret(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order(Calls::to("GET", "/apikeys/current"), Fault::Html, 1);
        rig.manager.order(
            Calls::to("DELETE", "/apikeys/*"),
            Fault::Status { status: 503, retry_after: None },
            1,
        );
        assert_eq!(ask(&writer, COMPUTERS).await.code(), "UPSTREAM_MALFORMED");
        assert_eq!(ends(&rig, "FULL").len(), 1);
        unlink(&rig, &writer).await;
        rig.background_jobs.clean_up().await.unwrap();
        assert_eq!(rig.minted("North"), Vec::<String>::new());
        assert_eq!(rig.mints(), 1, "no other key was needed");
        assert_eq!(rows(&rig, "SELECT COUNT(*) FROM tenant_keys").await, 0);
    }

    async fn key_that_cannot_be_extended_works_until_its_first_end(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order(
            Calls::to("POST", "/apikeys/*"),
            Fault::Status { status: 400, retry_after: None },
            1,
        );
        see(&writer, COMPUTERS).await;
        assert_eq!(ends(&rig, "FULL"), [rig.clock.now().plus(TEN_MINUTES).millis()]);
        rig.advance(601);
        see(&writer, COMPUTERS).await;
        assert_eq!(rig.mints(), 2);
    }

    async fn lost_answer_to_an_extension_is_looked_up(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        rig.manager.order(Calls::to("POST", "/apikeys/*"), Fault::LoseAnswer, 1);
        see(&writer, COMPUTERS).await;
        assert_eq!(ends(&rig, "FULL"), [rig.clock.now().plus(Duration::from_hours(24)).millis()]);
        rig.advance(3600);
        see(&writer.again().await, COMPUTERS).await;
        assert_eq!(rig.mints(), 1);
    }

    async fn silent_managers_do_not_delay_cleanup_of_others(rig: Rig) {
        let silent = [silent_manager(&rig, 2).await, silent_manager(&rig, 3).await];
        let writer = rig.writer(rig.world.north).await;
        leave_stray(&rig.manager, &writer).await;
        assert_eq!(rig.minted("North").len(), 2);
        for manager in &silent {
            manager.order_always(Calls::all(), Fault::Delay { millis: 60_000 });
        }
        let swept = async || (rig.minted("North").len() == 1).then_some(());
        tokio::select! {
            ended = rig.background_jobs.clean_up() => ended.unwrap(),
            () = eventually(10, "the sweep of the manager that answers", swept) => {}
        }
        assert_eq!(rig.minted("North").len(), 1);
        silent.iter().for_each(notes::note_shown);
    }
}
