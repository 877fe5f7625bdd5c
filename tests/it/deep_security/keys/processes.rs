//! Minting by several processes, some of which are killed.

use std::time::Duration;

use serde_json::json;
use tenant_gateway::roles::Role;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::Simulator;
use tenant_gateway_simulators::faults::Fault;

use super::super::rig::{self, see, seeds};
use super::{COMPUTERS, at_once};
use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, both_databases, eventually, notes};

both_databases! {
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
