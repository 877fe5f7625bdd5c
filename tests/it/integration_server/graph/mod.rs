//! The Integration Server through GraphQL, against a simulated server.

mod changing;
mod leases;
mod processes;
mod projection;
mod reading;
mod recording;
mod refusals;
mod twin_ids;
mod walls;
mod watching;

use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;
use tenant_gateway_simulators::clock::Clock;
use tenant_gateway_simulators::integration_server::{Config, Simulator, TaskTiming, TenantSeed};
use tokio::time::Instant;

use crate::support::app::START;
use crate::support::{Answer, Caller, Engine, OnEngine, TestApp, eventually, notes};

/// All fields of a task.
pub const TASK: &str = "{ id remoteID type state stateText stage progress created stateChanged
    changed error { code message } result {
    __typename
    ... on IntegrationServerTenant { id remoteID name description userData status type
    administrationServer { id administrator } created }
    ... on IntegrationServerReport { id remoteID periods { virtualMachineID virtualMachineName
    protectedFrom protectedUntil } }
    ... on IntegrationServerConfirmation { confirmed }
} }";

/// A gateway with a server that the partner owns and which has the tenants north and south.
pub struct House {
    pub app: TestApp,
    pub server: Simulator,
    pub upstream: Value,
    pub partner: Caller,
    pub north: Caller,
    pub south: Caller,
}

impl OnEngine for House {
    async fn on(engine: Engine) -> Self {
        Self::with(engine, |config| config).await
    }
}

/// The server's initial configuration: its clock starts at the gateway's time and runs.
pub fn config() -> Config {
    let begun = Instant::now();
    let clock = Clock::reading(move || {
        START.millis() + i64::try_from(begun.elapsed().as_millis()).unwrap()
    });
    let north = TenantSeed::complete("North")
        .description("the first")
        .user_data("<crm id=\"7\"/>")
        .machines(3);
    let south = TenantSeed::simple("South").machines(2);
    let other = TenantSeed::complete("Other").machines(1);
    Config::default().clock(clock).tenant(north).tenant(south).tenant(other)
}

impl House {
    pub async fn with(engine: Engine, change: impl FnOnce(Config) -> Config) -> Self {
        Self::with_settings(engine, change, |_| ()).await
    }

    pub async fn with_settings(
        engine: Engine,
        change: impl FnOnce(Config) -> Config,
        more: impl FnOnce(&mut tenant_gateway::config::Config),
    ) -> Self {
        let server = Simulator::start(change(config())).await.unwrap();
        let app = TestApp::with(engine, |config| {
            settings(config);
            more(config);
        })
        .await;
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, &server).await;
        link(&partner, &upstream, app.world.north, &server.tenant("North").id).await;
        link(&partner, &upstream, app.world.south, &server.tenant("South").id).await;
        // The tests count calls from here on.
        server.forget_calls();
        let north = partner.within(app.world.north);
        let south = partner.within(app.world.south);
        Self { app, server, upstream, partner, north, south }
    }

    pub fn slow(config: Config) -> Config {
        config.task_timing(TaskTiming::of(Duration::from_millis(150)))
    }

    /// Creates a SIMPLE tenant at the server.
    pub async fn create(&self, name: &str) -> Answer {
        self.create_with(json!({ "name": name, "type": "SIMPLE" })).await
    }

    pub async fn create_with(&self, more: Value) -> Answer {
        let mut input = json!({ "upstreamID": self.upstream });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let document = format!(
            "mutation($input: CreateIntegrationServerTenantInput!) {{ \
            createIntegrationServerTenant(input: $input) {TASK} }}"
        );
        self.partner.ask(&document, json!({ "input": input })).await
    }
}

/// Polls tasks without delay, as often as needed.
pub fn settings(config: &mut tenant_gateway::config::Config) {
    config.upstream.allow_private_addresses = true;
    config.upstream.calls_per_minute = 0;
    config.upstream.task_poll_min = Duration::from_millis(20);
    config.upstream.task_poll_max = Duration::from_millis(100);
}

pub async fn register(owner: &Caller, server: &Simulator) -> Value {
    notes::note(&server.password());
    // The Base64 form sent on the wire.
    let account = format!("multitenancy:{}", server.password());
    notes::note(&base64::Engine::encode(&base64::engine::general_purpose::STANDARD, account));
    let input = json!({
        "name": "viis", "system": "INTEGRATION_SERVER", "baseURL": server.base_url,
        "credential": { "basic": { "password": server.password() } },
    });
    let document =
        "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: $input) { id } }";
    owner.ask(document, json!({ "input": input })).await.field("registerUpstream")["id"].clone()
}

pub async fn link(owner: &Caller, upstream: &Value, tenant: TenantId, remote: &str) {
    let document = "mutation($input: LinkTenantInput!) { linkTenant(input: $input) { id } }";
    let input = json!({ "tenantID": tenant, "upstreamID": upstream, "remoteTenantID": remote });
    owner.ask(document, json!({ "input": input })).await.data();
}

/// Reads a task.
pub async fn task(caller: &Caller, id: &Value) -> Answer {
    let document = format!("query($id: ID!) {{ integrationServer {{ task(id: $id) {TASK} }} }}");
    caller.ask(&document, json!({ "id": id })).await
}

/// Waits until a task has ended.
pub async fn ended(caller: &Caller, id: &Value) -> Value {
    eventually(20, "the end of the task", async || {
        let task = task(caller, id).await.field("integrationServer")["task"].clone();
        let ended = ["COMPLETED", "FAILED", "CANCELED"].contains(&task["state"].as_str().unwrap());
        ended.then_some(task)
    })
    .await
}

/// Runs a mutation without variables; returns its task.
pub async fn begin(caller: &Caller, field: &str) -> Answer {
    caller.ask(&format!("mutation {{ {field} {TASK} }}"), json!({})).await
}

/// The only field of a response without errors.
pub fn only(answer: Answer) -> Value {
    answer.data().as_object().unwrap().values().next().unwrap().clone()
}
