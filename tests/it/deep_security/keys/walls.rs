//! Keys of deleted links and other managers, and their seals.

use std::collections::HashSet;

use serde_json::json;
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::seal::MasterKey;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Simulator};
use tenant_gateway_simulators::faults::Fault;

use super::super::rig::{self, Rig, ask, see, seeds};
use super::{COMPUTERS, rows};
use crate::support::{both_databases, eventually, notes};

both_databases! {
    async fn keys_of_a_deleted_link_are_deleted(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let writer = rig.writer(rig.world.north).await;
        see(&reader, COMPUTERS).await;
        see(&writer, COMPUTERS).await;
        assert_eq!(rig.minted("North").len(), 2);
        let links =
            "query($id: ID!) { tenant(id: $id) { upstreamLinks { id status { keyExpiresAt } } } }";
        let link = writer
            .ask(
                links,
                json!({
                    "id": rig.world.north,
                }),
            )
            .await
            .field("tenant")["upstreamLinks"][0]
            .clone();
        let end = "mutation($id: ID!) { unlinkTenant(id: $id) { id } }";
        rig.partner.ask(end, json!({ "id": link["id"] })).await.data();
        assert_eq!(ask(&reader, COMPUTERS).await.code(), "UPSTREAM_NOT_LINKED");
        rig.background_jobs.clean_up().await.unwrap();
        rig.advance(61);
        rig.background_jobs.clean_up().await.unwrap();
        assert_eq!(rig.minted("North"), Vec::<String>::new());
        assert_eq!(rows(&rig, "SELECT COUNT(*) FROM tenant_keys").await, 0);
    }

    async fn key_is_sent_only_to_its_own_manager(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, COMPUTERS).await;
        let other = Simulator::start(Config { seed: 9, ..seeds() }).await.unwrap();
        let document = "mutation($id: ID!, $input: UpdateUpstreamInput!) { updateUpstream(id: $id, \
            input: $input) { id } }";
        let input = json!({
            "baseURL": other.base_url,
            "credential": { "secretKey": other.primary().secret_key },
        });
        rig.partner.ask(document, json!({ "id": rig.upstream, "input": input })).await.data();
        see(&reader, COMPUTERS).await;
        let known: Vec<_> = rig
            .manager
            .seen(&Calls::all())
            .iter()
            .filter_map(|call| call.header("api-secret-key").map(str::to_owned))
            .collect();
        for call in other.seen(&Calls::all()) {
            assert!(!known.contains(&call.header("api-secret-key").unwrap().to_owned()));
        }
        assert_eq!(other.count(&Calls::to("POST", "/tenants/*/apikeys")), 1);
    }

    async fn key_minted_during_a_move_is_sent_only_to_its_own_manager(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let other = Simulator::start(Config { seed: 9, ..seeds() }).await.unwrap();
        rig.manager.order(Calls::to("GET", "/apikeys/current"), Fault::Delay { millis: 2_000 }, 1);
        let early = tokio::spawn({
            let reader = reader.clone();
            async move { ask(&reader, COMPUTERS).await }
        });
        eventually(10, "the first key", async || (rig.mints() == 1).then_some(())).await;
        let document = "mutation($id: ID!, $input: UpdateUpstreamInput!) { updateUpstream(id: $id, \
            input: $input) { id } }";
        let input = json!({
            "baseURL": other.base_url,
            "credential": { "secretKey": other.primary().secret_key },
        });
        rig.partner.ask(document, json!({ "id": rig.upstream, "input": input })).await.data();
        see(&reader, COMPUTERS).await;
        early.await.unwrap();
        let shown = |manager: &Simulator| {
            let seen = manager.seen(&Calls::all());
            seen.iter()
                .filter_map(|call| call.header("api-secret-key").map(str::to_owned))
                .collect::<HashSet<_>>()
        };
        assert!(shown(&rig.manager).is_disjoint(&shown(&other)));
        assert_eq!(other.count(&Calls::to("POST", "/computers/search")), 1);
    }

    async fn keys_are_sealed_and_rewrapped_with_a_new_master_key(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, COMPUTERS).await;
        let new = MasterKey::generate(&SystemEntropy);
        notes::note(&new);
        let mut config = rig.database.config();
        rig::reach_loopback(&mut config);
        config.seal.previous_master_key = config.seal.master_key.take();
        config.seal.master_key = Some(new.into());
        // A signing key, the installation's credential and the tenant's key.
        assert_eq!(Core::rotate_master_key(&config, Environment::default()).await.unwrap(), 3);
        config.seal.previous_master_key = None;
        let node = rig.app.another_node_with(|settings| *settings = config).await;
        see(&reader.at(&node.gateway), COMPUTERS).await;
        assert_eq!(rig.mints(), 1);
    }
}
