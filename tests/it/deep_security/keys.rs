//! The keys that the gateway mints for tenants.

use std::collections::HashSet;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::clock::Clock as _;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::roles::Role;
use tenant_gateway::seal::MasterKey;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Simulator};
use tenant_gateway_simulators::faults::Fault;

use super::rig::{self, Rig, ask, see, seeds};
use crate::support::process::Deployment;
use crate::support::{Caller, Engine, OnEngine, both_databases, eventually, notes};

const COMPUTERS: &str = "computers { nodes { id } }";

/// Runs `times` concurrent operations for each caller.
async fn at_once(callers: &[&Caller], times: usize) {
    let mut asked = Vec::new();
    for number in 0..times {
        let caller = callers[number % callers.len()].clone();
        asked.push(tokio::spawn(async move { see(&caller, COMPUTERS).await }));
    }
    for answer in asked {
        assert!(!answer.await.unwrap()["computers"]["nodes"].as_array().unwrap().is_empty());
    }
}

/// Deletes the link of north.
async fn unlink(rig: &Rig, caller: &Caller) {
    let links = "query($id: ID!) { tenant(id: $id) { upstreamLinks { id } } }";
    let found = caller.ask(links, json!({ "id": rig.world.north })).await.field("tenant");
    let end = "mutation($id: ID!) { unlinkTenant(id: $id) { id } }";
    rig.partner.ask(end, json!({ "id": found["upstreamLinks"][0]["id"] })).await.data();
}

/// Leaves a stray key at the manager, and a key that can delete it.
async fn leave_stray(manager: &Simulator, writer: &Caller) {
    manager.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::LoseAnswer, 1);
    assert_eq!(ask(writer, COMPUTERS).await.code(), "UPSTREAM_UNAVAILABLE");
    see(writer, COMPUTERS).await;
}

/// Another manager of the partner, with a stray key of a tenant linked to it.
async fn silent_manager(rig: &Rig, seed: u64) -> Simulator {
    let manager = Simulator::start(Config { seed, ..seeds() }).await.unwrap();
    manager.tenants.iter().for_each(|tenant| notes::note(&tenant.secret_key));
    let tenant =
        rig.operator.tenant(rig.world.organization, &format!("Silent {seed}"), false).await;
    let secret = json!({ "secretKey": manager.primary().secret_key });
    let upstream = rig::register(&rig.partner, &manager.base_url, secret).await;
    rig::link(&rig.partner, tenant, &upstream, Some(manager.customer("North").id.to_string()))
        .await
        .data();
    leave_stray(&manager, &rig.writer(tenant).await).await;
    manager
}

const TEN_MINUTES: Duration = Duration::from_mins(10);

/// When the keys of north that the gateway made with that access end, in milliseconds.
fn ends(rig: &Rig, access: &str) -> Vec<i64> {
    let keys = rig.manager.api_keys(rig.manager.customer("North").id);
    let made = keys.iter().filter(|key| {
        let name = key["keyName"].as_str().unwrap();
        name.starts_with("tenant-gateway ") && name.ends_with(access)
    });
    made.map(|key| key["expiryDate"].as_i64().unwrap()).collect()
}

async fn rows(rig: &Rig, sql: &str) -> i64 {
    let reader = rig.operator.database.reader();
    let row = reader
        .query_one_raw(Statement::from_string(reader.get_database_backend(), sql))
        .await
        .unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

both_databases! {
    async fn concurrent_callers_mint_one_key_for_each_tenant_and_access(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let writer = rig.writer(rig.world.north).await;
        let south = rig.reader(rig.world.south).await;
        at_once(&[&reader, &writer, &south], 60).await;
        assert_eq!((rig.mints_for("North"), rig.mints_for("South")), (2, 1));
        at_once(&[&reader, &writer, &south], 6).await;
        assert_eq!(rig.mints(), 3);
    }

    async fn many_nodes_share_one_key(rig: Rig) {
        let node = rig.app.another_node_with(rig::reach_loopback).await;
        let reader = rig.reader(rig.world.north).await;
        let there = reader.at(&node.gateway);
        at_once(&[&reader, &there], 50).await;
        assert_eq!(rig.mints(), 1);
        node.stop().await;
    }

    async fn key_is_renewed_while_the_old_one_works_and_then_deleted(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        see(&writer, COMPUTERS).await;
        rig.advance(24 * 3600 * 4 / 5 + 1);
        let writer = writer.again().await;
        see(&writer, COMPUTERS).await;
        eventually(10, "the renewal", async || (rig.mints() == 2).then_some(())).await;
        eventually(10, "its use", async || {
            see(&writer, COMPUTERS).await;
            (rows(
                &rig,
                "SELECT COUNT(*) FROM tenant_keys WHERE state = 'LIVE' AND remote_key_id = 3",
            )
            .await
                == 1)
                .then_some(())
        })
        .await;
        assert_eq!(rig.minted("North").len(), 2);
        rig.advance(61);
        rig.background_jobs.clean_up().await.unwrap();
        assert_eq!(rig.minted("North").len(), 1);
        see(&writer, COMPUTERS).await;
        assert_eq!(rig.mints(), 2);
        assert_eq!(rows(&rig, "SELECT COUNT(*) FROM tenant_keys").await, 1);
    }

    async fn deleted_key_is_replaced_once(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let writer = rig.writer(rig.world.north).await;
        see(&reader, COMPUTERS).await;
        see(&writer, COMPUTERS).await;
        assert_eq!(rig.mints(), 2);
        let north = rig.manager.customer("North").id;
        let keys = rig.manager.api_keys(rig.manager.customer("North").id);
        for key in keys.iter().filter(|key| key["serviceAccount"] == true) {
            rig.manager.delete_api_key(north, i32::try_from(key["ID"].as_i64().unwrap()).unwrap());
        }
        at_once(&[&reader, &writer], 40).await;
        assert_eq!(rig.mints(), 4);
        let document = "mutation { updateDeepSecurityComputer(id: 1, input: { description: \"x\" \
            }) { description } }";
        writer.ask(document, json!({})).await.data();
    }

    async fn write_refused_with_a_deleted_key_is_sent_once_with_the_next(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        see(&writer, COMPUTERS).await;
        rig.manager.delete_api_key(rig.manager.customer("North").id, 2);
        let document = "mutation { createDeepSecurityPolicy(input: { name: \"made\" }) { name } }";
        writer.ask(document, json!({})).await.data();
        assert_eq!(rig.manager.count(&Calls::to("POST", "/policies")), 2, "refused, then sent once");
        let made = see(&writer, "policies(name: \"made\") { nodes { id } }").await;
        assert_eq!(made["policies"]["nodes"].as_array().unwrap().len(), 1);
    }

    async fn suspended_tenant_gets_no_key_and_a_clear_error(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let north = rig.manager.customer("North").id;
        rig.manager.set_tenant_state(north, "suspended-db-locked");
        let answer = ask(&reader, COMPUTERS).await;
        assert_eq!(answer.code(), "UPSTREAM_REJECTED");
        assert!(answer.message().contains("suspended-db-locked"), "{}", answer.message());
        assert_eq!(rig.mints(), 0);
        rig.manager.set_tenant_state(north, "active");
        see(&reader, COMPUTERS).await;
        rig.manager.set_tenant_state(north, "suspended");
        for _ in 0..3 {
            assert_eq!(ask(&reader, COMPUTERS).await.code(), "UPSTREAM_REJECTED");
        }
        assert_eq!(rig.mints(), 1);
    }

    async fn role_without_the_right_mints_no_new_key(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, COMPUTERS).await;
        rig.manager.order(
            Calls::to("POST", "/policies/search"),
            Fault::Status { status: 403, retry_after: None },
            1,
        );
        let answer = ask(&reader, "policies { nodes { id } }").await;
        assert_eq!(answer.code(), "UPSTREAM_REJECTED");
        assert_eq!(rig.mints(), 1);
        assert!(!answer.body.to_string().contains("internal"));
    }

    async fn refused_primary_credential_is_upstream_unauthorized(rig: Rig) {
        let north = rig.reader(rig.world.north).await;
        rig.manager.order_always(
            Calls::to("GET", "/tenants/*"),
            Fault::Status { status: 401, retry_after: None },
        );
        let answer = ask(&north, COMPUTERS).await;
        assert_eq!(answer.code(), "UPSTREAM_UNAUTHORIZED");
        assert_eq!(answer.body["errors"][0]["extensions"]["tenantID"], json!(rig.world.north));
        assert_eq!(rig.mints(), 0);
    }

    async fn role_two_that_permits_changes_is_not_used(rig: Rig) {
        let north = rig.manager.customer("North");
        let http = reqwest::Client::new();
        let send = async |path: &str, body: Value| {
            let post =
                http.post(format!("{}{path}", rig.manager.base_url)).header("api-version", "v1");
            post.header("api-secret-key", &north.secret_key).json(&body).send().await.unwrap()
        };
        // Another role is called Auditor, and role 2 has a different name.
        let rights =
            json!({ "platformRights": { "computerRights": { "canViewOtherComputers": true } } });
        assert!(
            send("/roles", json!({ "name": "Reader", "rights": rights }))
                .await
                .status()
                .is_success()
        );
        let node = rig
            .app
            .another_node_with(|config| {
                rig::reach_loopback(config);
                config.deep_security.read_only_roles = vec!["Reader".to_owned()];
            })
            .await;
        let reader = rig.reader(rig.world.north).await.at(&node.gateway);
        see(&reader, COMPUTERS).await;
        let keys = rig.manager.api_keys(north.id);
        let minted: Vec<_> = keys.iter().filter(|key| key["serviceAccount"] == true).collect();
        assert_eq!(minted.iter().filter(|key| key["roleID"] == 3).count(), 1, "{minted:?}");
        assert_eq!(minted.len(), 1, "the temporary key and the unfit key are deleted");
    }

    async fn key_of_another_tenant_is_never_used(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let proof = json!({ "ID": 2, "roleID": 2, "tenantID": rig.manager.customer("South").id })
            .to_string();
        rig.manager.order(Calls::to("GET", "/apikeys/current"), Fault::Rubbish { text: proof }, 1);
        assert_eq!(ask(&reader, COMPUTERS).await.code(), "UPSTREAM_MALFORMED");
        assert_eq!(rig.manager.count(&Calls::to("*", "/computers*")), 0);
        see(&reader, COMPUTERS).await;
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

    async fn killed_process_leaves_at_most_one_stray(deployment: Deployment) {
        let credentials = deployment.init();
        let manager = Simulator::start(seeds()).await.unwrap();
        manager.tenants.iter().for_each(|tenant| notes::note(&tenant.secret_key));
        let settings = [("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true")];
        let process = deployment.serve_with(&settings).await;
        let caller = process.log_in(credentials.clone()).await;
        let upstream = rig::register(
            &caller,
            &manager.base_url,
            json!({ "secretKey": manager.primary().secret_key }),
        )
        .await;
        let context = caller
            .ask("{ requestTenantContext { tenantIDs } }", json!({}))
            .await
            .field("requestTenantContext");
        let tenant = context["tenantIDs"][0].as_str().unwrap().parse().unwrap();
        rig::link(&caller, tenant, &upstream, Some(manager.customer("North").id.to_string()))
            .await
            .data();
        manager.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::Delay { millis: 5_000 }, 1);
        let asking = tokio::spawn(async move {
            let request = caller
                .gateway
                .graphql("{ deepSecurity { computers { nodes { id } } } }", &json!({}));
            request.bearer_auth(&caller.token).send().await.is_ok()
        });
        eventually(10, "the call for a key", async || {
            (manager.count(&Calls::to("POST", "/tenants/*/apikeys")) == 1).then_some(())
        })
        .await;
        process.kill();
        asking.await.unwrap();
        let process = deployment.serve_with(&settings).await;
        let caller = process.log_in(credentials).await;
        let began = tokio::time::Instant::now();
        see(&caller, COMPUTERS).await;
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "another node takes over soon after the lease: {:?}",
            began.elapsed()
        );
        let north = manager.customer("North").id;
        let minted =
            || manager.api_keys(north).iter().filter(|key| key["serviceAccount"] == true).count();
        assert!(minted() <= 2, "the key in use and a stray");
        eventually(70, "the sweep", async || {
            tokio::time::sleep(Duration::from_millis(200)).await;
            (minted() == 1).then_some(())
        })
        .await;
        see(&caller, COMPUTERS).await;
        assert_eq!(manager.count(&Calls::to("POST", "/tenants/*/apikeys")), 2);
        notes::note_shown(&manager);
    }
}

/// Several processes share only PostgreSQL.
#[tokio::test]
async fn two_new_processes_mint_one_key_for_each_tenant_and_access() {
    let deployment = Deployment::on(Engine::Postgres).await;
    let credentials = deployment.init();
    let manager = Simulator::start(seeds()).await.unwrap();
    manager.tenants.iter().for_each(|tenant| notes::note(&tenant.secret_key));
    let settings = [
        ("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true"),
        ("TENANT_GATEWAY__UPSTREAM__CALLS_PER_MINUTE", "0"),
    ];
    let process = deployment.serve_with(&settings).await;
    let administrator = process.log_in(credentials.clone()).await;
    let secret = json!({ "secretKey": manager.primary().secret_key });
    let upstream = rig::register(&administrator, &manager.base_url, secret).await;
    let mut tenants = Vec::new();
    for name in ["North", "South"] {
        let document =
            "mutation($name: String!) { createTenant(newTenant: { name: $name }) { id } }";
        let made = administrator.ask(document, json!({ "name": name })).await.field("createTenant");
        let tenant = made["id"].as_str().unwrap().to_owned();
        let remote = manager.customer(name).id;
        rig::link(&administrator, tenant.parse().unwrap(), &upstream, Some(remote.to_string()))
            .await
            .data();
        tenants.push((tenant, remote));
    }
    let auditor = administrator.create("auditor", &[&Role::Auditor.id().to_string()]).await;
    process.kill();

    let processes =
        [deployment.serve_with(&settings).await, deployment.serve_with(&settings).await];
    let mut callers = Vec::new();
    for who in [credentials, auditor] {
        for (tenant, _) in &tenants {
            for process in &processes {
                callers.push(process.log_in(who.clone()).await.within(tenant));
            }
        }
    }
    assert_eq!(manager.count(&Calls::to("POST", "/tenants/*/apikeys")), 0);
    at_once(&callers.iter().collect::<Vec<_>>(), 50).await;
    for (_, remote) in tenants {
        assert_eq!(manager.count(&Calls::to("POST", &format!("/tenants/{remote}/apikeys"))), 2);
        let keys = manager.api_keys(remote);
        let names = keys.iter().map(|key| key["keyName"].as_str().unwrap());
        let mut rights: Vec<_> = names
            .filter(|name| name.starts_with("tenant-gateway "))
            .map(|name| name.rsplit(' ').next().unwrap())
            .collect();
        rights.sort_unstable();
        assert_eq!(rights, ["FULL", "READ"]);
    }
    notes::note_shown(&manager);
}
