//! Several real processes, some killed in the middle of their work.

use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tenant_gateway_simulators::integration_server::{
    Config, Fate, Simulator, TaskKind, TaskTiming, TenantSeed,
};
use tokio::time::Instant;

use super::watching::{states, watch};
use super::{begin, ended, link, only, register};
use crate::support::process::{Deployment, Process};
use crate::support::{Caller, Engine, OnEngine, both_databases, eventually};

const SETTINGS: &[(&str, &str)] = &[
    ("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true"),
    ("TENANT_GATEWAY__UPSTREAM__TASK_POLL_MIN", "300ms"),
    ("TENANT_GATEWAY__UPSTREAM__TASK_POLL_MAX", "300ms"),
];

const CREATE: &str = "mutation($input: CreateIntegrationServerTenantInput!) { \
    createIntegrationServerTenant(input: $input) { id } }";

/// A customer below the tenant in context.
async fn customer(administrator: &Caller, name: &str) -> String {
    let document = "mutation($name: String!) { createTenant(newTenant: { name: $name }) { id } }";
    let made = administrator.ask(document, json!({ "name": name })).await.field("createTenant");
    made["id"].as_str().unwrap().to_owned()
}

/// Requests a tenant without waiting for the response.
fn ask_for(administrator: &Caller, upstream: &Value, name: &str, link: &str) {
    let input =
        json!({ "upstreamID": upstream, "name": name, "type": "SIMPLE", "linkTenantID": link });
    let request = administrator
        .gateway
        .graphql(CREATE, &json!({ "input": input }))
        .bearer_auth(&administrator.token);
    tokio::spawn(request.send());
}

async fn until(server: &Simulator, method: &str, path: &str, count: u64) {
    eventually(20, "a call", async || {
        (server.count(&Calls::to(method, path)) >= count).then_some(())
    })
    .await;
}

async fn served(
    deployment: &Deployment,
    administrator: &crate::support::Credentials,
) -> (Process, Caller) {
    let process = deployment.serve_with(SETTINGS).await;
    let caller = process.log_in(administrator.clone()).await;
    (process, caller)
}

both_databases! {
    async fn kill_at_any_step_loses_nothing_and_repeats_nothing(deployment: Deployment) {
        let server = Simulator::start(
            Config::default().task_timing(TaskTiming::of(Duration::from_millis(300))),
        )
        .await
        .unwrap();
        let credentials = deployment.init();
        let (process, administrator) = served(&deployment, &credentials).await;
        let upstream = register(&administrator, &server).await;
        let mut customers = Vec::new();
        for name in ["Running", "Named", "Sent", "Unsent"] {
            customers.push((name, customer(&administrator, name).await));
        }
        let [running, named, sent, unsent] = &customers[..] else { panic!("four") };
        ask_for(&administrator, &upstream, running.0, &running.1);
        until(&server, "GET", "/tasks/*", 1).await;
        server.order_always(Calls::to("GET", "/tasks/*"), Fault::Delay { millis: 20_000 });
        let asked = server.count(&Calls::to("GET", "/tasks/*"));
        ask_for(&administrator, &upstream, named.0, &named.1);
        until(&server, "POST", "/tenants", 2).await;
        until(&server, "GET", "/tasks/*", asked + 1).await;
        server.order(Calls::to("POST", "/tenants"), Fault::Delay { millis: 20_000 }, 1);
        ask_for(&administrator, &upstream, sent.0, &sent.1);
        until(&server, "POST", "/tenants", 3).await;
        server.order(Calls::to("GET", "/tenants"), Fault::Delay { millis: 20_000 }, 1);
        ask_for(&administrator, &upstream, unsent.0, &unsent.1);
        until(&server, "GET", "/tenants", 4).await;
        process.kill();
        server.clear_orders();

        let (_process, administrator) = served(&deployment, &credentials).await;
        for (name, id) in [running, named, sent] {
            let own = administrator.within(id);
            let tenant = eventually(40, "the link", async || {
                let answer = own.ask("{ integrationServer { tenant { name } } }", json!({})).await;
                Some(answer.body["data"]["integrationServer"]["tenant"]["name"].clone())
                    .filter(Value::is_string)
            });
            assert_eq!(tenant.await, json!(name));
        }
        let tasks = administrator
            .ask(
                "{ integrationServer { tasks { nodes { state result { ... on \
            IntegrationServerTenant { name } } } } } }",
                json!({}),
            )
            .await;
        let tasks = tasks.field("integrationServer")["tasks"]["nodes"].as_array().unwrap().clone();
        assert_eq!(tasks.len(), 3, "{tasks:?}");
        assert!(tasks.iter().all(|task| task["state"] == "COMPLETED"), "{tasks:?}");
        assert_eq!(
            server.count(&Calls::to("POST", "/tenants")),
            3,
            "no call was sent twice, and the last one never"
        );
        assert_eq!(server.found_tenants().len(), 3);
    }
}

// Two processes share a PostgreSQL; an SQLite file belongs to one process.
#[tokio::test]
async fn task_begun_by_a_killed_node_is_continued_by_another() {
    let deployment = Deployment::on(Engine::Postgres).await;
    let server =
        Simulator::start(Config::default().tenant(TenantSeed::simple("North"))).await.unwrap();
    let credentials = deployment.init();
    let (first, administrator) = served(&deployment, &credentials).await;
    let (second, _) = served(&deployment, &credentials).await;
    let upstream = register(&administrator, &server).await;
    let north = customer(&administrator, "North").await;
    link(&administrator, &upstream, north.parse().unwrap(), &server.tenant("North").id).await;
    server.order_task(TaskKind::ChangeTenantActivation, Fate::NeverEnds, 1);
    let own = administrator.within(&north);
    let task = only(begin(&own, "deactivateIntegrationServerTenant").await);
    let id = task["remoteID"].as_str().unwrap().to_owned();
    let polls = format!("/tasks/{id}");
    let own = own.at(second.gateway());
    let watcher = {
        let caller = own.clone();
        let tenant = north.clone();
        let id = task["id"].clone();
        tokio::spawn(async move { watch(&caller, &tenant, &id).await })
    };
    until(&server, "GET", &polls, 8).await;
    let seen: Vec<i64> =
        server.seen(&Calls::to("GET", &polls)).iter().map(|seen| seen.at).collect();
    // The first call is that of the mutation itself.
    let pauses = seen[2..].windows(2).map(|pair| pair[1] - pair[0]);
    assert!(
        pauses.clone().all(|pause| pause >= 290),
        "one of two pollers: {:?}",
        pauses.collect::<Vec<_>>()
    );

    first.kill();
    let killed = Instant::now();
    let before = server.polls(&id);
    // A response may still have been in flight.
    until(&server, "GET", &polls, before + 2).await;
    assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());
    let cancel = "mutation($id: ID!) { cancelIntegrationServerTask(id: $id) { id } }";
    own.ask(cancel, json!({ "id": task["id"] })).await.data();
    assert_eq!(ended(&own, &task["id"]).await["state"], "CANCELED");
    let events = watcher.await.unwrap();
    assert_eq!(states(&events)[states(&events).len() - 2..], ["CANCELED", "CANCELED"]);
}
