//! Claims: which node mints a key while several need it.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tokio::task::JoinHandle;

use super::{COMPUTERS, at_once};
use crate::deep_security::rig::{self, Rig, see};
use crate::support::{Caller, both_databases, eventually};

/// Begins to read with a key that is minted, and loses the claim to mint it while the manager is
/// about to answer: the first step of another node that claims it after the lease has expired.
async fn lose_claim(rig: &Rig, caller: &Caller) -> JoinHandle<()> {
    let before = rig.mints();
    let mint = Calls::to("POST", "/tenants/*/apikeys");
    rig.manager.order(mint, Fault::Delay { millis: 2_000 }, 1);
    let caller = caller.clone();
    let losing = tokio::spawn(async move {
        see(&caller, COMPUTERS).await;
    });
    eventually(10, "the call for a key", async || (rig.mints() > before).then_some(())).await;
    let now = rig.app.now().millis();
    let taken =
        format!("UPDATE tenant_keys SET state = 'STRAY', spent_at = {now} WHERE state = 'PENDING'");
    let write = rig.operator.database.begin().await.unwrap();
    assert_eq!(write.on().execute_unprepared(&taken).await.unwrap().rows_affected(), 1);
    write.commit().await.unwrap();
    losing
}

both_databases! {
    async fn minting_that_outlasts_its_lease_is_not_taken_over(engine: Engine) {
        let brief = |config: &mut tenant_gateway::config::Config| {
            config.deep_security.mint_lease = Duration::from_secs(1);
        };
        let rig = Rig::with_settings(engine, |config| config, brief).await;
        let node = rig
            .app
            .another_node_with(|config| {
                rig::reach_loopback(config);
                brief(config);
            })
            .await;
        rig.manager.order(
            Calls::to("POST", "/tenants/*/apikeys"),
            Fault::Delay { millis: 4_000 },
            1,
        );
        let reader = rig.reader(rig.world.north).await;
        at_once(&[&reader, &reader.at(&node.gateway)], 10).await;
        assert_eq!(rig.mints(), 1);
        node.stop().await;
    }

    async fn claim_that_is_lost_is_made_again(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let writer = rig.writer(rig.world.north).await;
        for caller in [reader, writer] {
            rig.manager.forget_calls();
            let losing = lose_claim(&rig, &caller).await;
            losing.await.unwrap();
            assert_eq!(rig.mints(), 2);
        }
    }

    async fn node_that_loses_its_claim_uses_the_key_of_the_winner(rig: Rig) {
        let node = rig.app.another_node_with(rig::reach_loopback).await;
        let reader = rig.reader(rig.world.north).await;
        let losing = lose_claim(&rig, &reader).await;
        see(&reader.at(&node.gateway), COMPUTERS).await;
        losing.await.unwrap();
        assert_eq!(rig.mints(), 2, "one of each node");
        assert_eq!(rig.minted("North").len(), 2);
        rig.background_jobs.clean_up().await.unwrap();
        assert_eq!(rig.minted("North").len(), 1, "the key of the lost claim is found and deleted");
        node.stop().await;
    }

    async fn node_whose_key_is_cleaned_up_before_it_is_verified_uses_that_of_the_winner(rig: Rig) {
        let node = rig.app.another_node_with(rig::reach_loopback).await;
        let reader = rig.reader(rig.world.north).await;
        let losing = lose_claim(&rig, &reader).await;
        see(&reader.at(&node.gateway), COMPUTERS).await;
        rig.background_jobs.clean_up().await.unwrap();
        assert_eq!(rig.minted("North").len(), 1, "the key of the lost claim is deleted");
        losing.await.unwrap();
        assert_eq!(rig.minted("North").len(), 1);
        node.stop().await;
    }

    async fn node_with_a_fast_clock_mints_no_second_key(rig: Rig) {
        let node = rig.app.another_node_ahead(Duration::from_secs(50), rig::reach_loopback).await;
        rig.manager.order(
            Calls::to("POST", "/tenants/*/apikeys"),
            Fault::Delay { millis: 2_000 },
            1,
        );
        let reader = rig.reader(rig.world.north).await;
        at_once(&[&reader, &reader.at(&node.gateway)], 10).await;
        assert_eq!(rig.mints(), 1);
        node.stop().await;
    }
}
