//! The keys that the gateway mints for tenants.

mod claims;
mod processes;
mod strays;
mod walls;

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Simulator};
use tenant_gateway_simulators::faults::Fault;

use super::rig::{self, Rig, ask, see, seeds};
use crate::support::{Caller, both_databases, eventually, notes};

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
}
