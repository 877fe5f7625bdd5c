//! Traces of the real program, received by a stand-in of a collector.

mod failures;
mod propagation;
mod secrets;
mod settings;
mod spans;

use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway_simulators::integration_server::{Config, Simulator, TaskTiming, TenantSeed};

use crate::support::collector::{Collector, Mood};
use crate::support::process::{Deployment, Process};
use crate::support::{Caller, Engine, OnEngine, notes};

const SETTINGS: &[(&str, &str)] = &[
    ("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true"),
    ("TENANT_GATEWAY__UPSTREAM__TASK_POLL_MIN", "100ms"),
    ("TENANT_GATEWAY__ADMIN__LISTEN", "127.0.0.1:0"),
];

/// A gateway whose traces a collector receives.
struct Traced {
    collector: Collector,
    deployment: Deployment,
    process: Process,
    administrator: Caller,
}

impl Traced {
    async fn with(variables: &[(&str, &str)]) -> Self {
        Self::to(Collector::start(Mood::Accept).await, Engine::Sqlite, variables).await
    }

    async fn to(collector: Collector, engine: Engine, variables: &[(&str, &str)]) -> Self {
        let deployment = Deployment::on(engine).await;
        let credentials = deployment.init();
        let all = [SETTINGS, &collector.variables(), variables].concat();
        let process = deployment.serve_with(&all).await;
        let administrator = process.log_in(credentials).await;
        Self { collector, deployment, process, administrator }
    }

    /// A request of an operation with these headers, answered without an error.
    async fn ask(&self, document: &str, headers: &[(&str, &str)]) -> Value {
        let mut request = self.administrator.request(document, &json!({}));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.administrator.gateway.send(request).await.data()
    }

    /// The figures of spans by outcome.
    async fn spans_by_outcome(&self, outcome: &str) -> f64 {
        let records = self.process.records();
        let admin = records.iter().find_map(|record| record["admin"].as_str()).expect("an address");
        let answer = self.process.gateway().http.get(format!("http://{admin}/metrics"));
        let text = answer.send().await.unwrap().text().await.unwrap();
        let name = format!("tenant_gateway_trace_spans_total{{outcome=\"{outcome}\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }

    /// An Integration Server with one tenant, registered under this name.
    async fn integration_server(&self) -> (Simulator, Value) {
        let seed = TenantSeed::simple("North");
        let timing = TaskTiming::of(Duration::from_millis(300));
        let config = Config::default().tenant(seed).task_timing(timing);
        let server = Simulator::start(config).await.unwrap();
        notes::note(&server.password());
        let input = json!({
            "name": "viis", "system": "INTEGRATION_SERVER", "baseURL": server.base_url,
            "credential": { "basic": { "password": server.password() } },
        });
        let document =
            "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: $input) { id } }";
        let made = self.administrator.ask(document, json!({ "input": input })).await;
        (server, made.field("registerUpstream")["id"].clone())
    }

    /// Reads the tenants of an Integration Server in an operation with that name.
    async fn ask_tenants(&self, upstream: &Value, name: &str) {
        let document = format!(
            "query {name}($id: ID!) {{ integrationServer {{ tenants(upstreamID: $id) {{ nodes {{ \
             id }} }} }} }}"
        );
        self.administrator.ask(&document, json!({ "id": upstream })).await.data();
    }
}
