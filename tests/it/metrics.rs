//! Observability: `/metrics` of the admin listener, and the one log line of each request.

use serde_json::{Value, json};

use crate::support::process::{Deployment, Process};
use crate::support::{Caller, Engine, OnEngine, eventually};

pub const ADMIN: &[(&str, &str)] =
    &[("TENANT_GATEWAY__ADMIN__LISTEN", "127.0.0.1:0"), ("RUST_LOG", "info")];

pub async fn scrape(process: &Process) -> String {
    let records = process.records();
    let admin = records.iter().find_map(|record| record["admin"].as_str()).expect("an address");
    let answer =
        process.gateway().http.get(format!("http://{admin}/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let content_type = answer.headers()["content-type"].to_str().unwrap();
    assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"));
    answer.text().await.unwrap()
}

/// The value of a sample, by its name and labels as written.
pub fn sample(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no sample {name} in\n{text}")).parse().unwrap()
}

async fn three_operations(caller: &Caller) {
    let create = "mutation Make($name: String!) { createClient(name: $name) { client { id } } }";
    caller.ask(create, json!({ "name": "counted" })).await.data();
    caller.ask("query Mine { currentSubject { id } }", json!({})).await.data();
    assert_eq!(
        caller.ask("{ nothing }", json!({})).await.body["errors"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn operations_tokens_and_requests_are_counted() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let administrator = deployment.init();
    let process = deployment.serve_with(ADMIN).await;
    let caller = process.log_in(administrator).await;
    three_operations(&caller).await;
    let text = scrape(&process).await;
    let operations = |kind: &str, code: &str| {
        let labels = format!("{{transport=\"post\",kind=\"{kind}\",code=\"{code}\",tenant=\"\"}}");
        sample(&text, &format!("tenant_gateway_graphql_operations_total{labels}"))
    };
    assert_eq!(operations("mutation", "OK"), 1.0);
    assert_eq!(operations("query", "OK"), 1.0);
    assert_eq!(operations("unknown", "GRAPHQL_VALIDATION_FAILED"), 1.0);
    assert_eq!(sample(&text, "tenant_gateway_token_requests_total{outcome=\"issued\"}"), 1.0);
    assert_eq!(sample(&text, "tenant_gateway_database_up"), 1.0);
    assert!(sample(&text, "process_resident_memory_bytes") > 1e6);
    assert!(sample(&text, "tenant_gateway_budget_limit{pool=\"operations\"}") > 0.0);
    for name in ["tasks{state=\"lost\"}", "tenant_keys{state=\"live\"}"] {
        assert_eq!(sample(&text, &format!("tenant_gateway_{name}")), 0.0);
    }
    let first_expiry = sample(&text, "tenant_gateway_tenant_key_first_expiry_seconds");
    assert!(first_expiry.is_nan(), "no key is in use");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn public_listener_has_no_metrics() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let process = deployment.serve_with(ADMIN).await;
    let url = format!("{}/metrics", process.gateway().url);
    assert_eq!(process.gateway().http.get(url).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn request_logs_one_line_with_operation_codes_and_cost() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let administrator = deployment.init();
    let process = deployment.serve_with(ADMIN).await;
    let caller = process.log_in(administrator).await;
    three_operations(&caller).await;
    let lines = eventually(10, "three lines", async || {
        let records = process.records().into_iter();
        let lines: Vec<Value> =
            records.filter(|record| record["span"]["path"] == "/graphql").collect();
        (lines.len() >= 3).then_some(lines)
    })
    .await;
    assert_eq!(lines.len(), 3, "one line a request: {lines:?}");
    let told = |line: &Value| {
        json!([
            line["status"],
            line["operation"],
            line["kind"],
            line["codes"],
            line["upstream_calls"]
        ])
    };
    assert_eq!(told(&lines[0]), json!([200, "Make", "mutation", null, 0]));
    assert_eq!(told(&lines[1]), json!([200, "Mine", "query", null, 0]));
    let codes = "GRAPHQL_VALIDATION_FAILED";
    assert_eq!(
        told(&lines[2]).as_array().unwrap()[2..],
        [json!("unknown"), json!(codes), json!(0)]
    );
    for line in &lines {
        assert!(line["cost"].is_u64() && line["millis"].is_u64(), "{line}");
        assert!(line["span"]["client"].is_string() && line["span"]["tenant"].is_string(), "{line}");
    }
}
