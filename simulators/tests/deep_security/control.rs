use reqwest::Client as Http;
use serde_json::{Value, json};
use tenant_gateway_simulators::deep_security::Config;

use crate::support::*;

#[tokio::test]
async fn control_orders_faults_and_counts_calls() {
    let simulator = start(Config { control: true, ..config() }).await;
    let client = Client::primary(&simulator);
    let http = Http::builder().no_proxy().build().unwrap();
    let url = |path: &str| simulator.base_url.replace("/api", &format!("/_control/{path}"));
    let post = async |path: &str, body: Value| {
        http.post(url(path)).json(&body).send().await.unwrap().status().as_u16()
    };

    let tenants: Value = http.get(url("tenants")).send().await.unwrap().json().await.unwrap();
    assert_eq!(tenants[0]["secretKey"], simulator.primary().secret_key.as_str());
    let order = json!({
        "calls": { "method": "GET" },
        "fault": { "kind": "status", "status": 500, "retryAfter": null },
        "times": 1,
    });
    assert_eq!(post("faults", order).await, 204);
    assert_eq!((client.status("/roles").await, client.status("/roles").await), (500, 200));
    assert_eq!(post("faults", json!({"fault": {"kind": "status"}})).await, 400);
    assert_eq!(post("dialect", json!({"refusedCredential": 403})).await, 204);
    assert_eq!(Client::new(&simulator, "x").status("/roles").await, 403);
    assert_eq!(post("clock", json!({"advanceMillis": 5})).await, 204);
    let calls: Value = http.get(url("calls")).send().await.unwrap().json().await.unwrap();
    assert_eq!(calls.as_array().unwrap().len(), 3);
    assert_eq!(
        (&calls[0]["status"], &calls[2]["status"], &calls[2]["at"]),
        (&json!(500), &json!(403), &json!(NOW))
    );
}

#[tokio::test]
async fn control_is_disabled_by_default() {
    let simulator = simulator().await;
    let url = simulator.base_url.replace("/api", "/_control/tenants");
    let http = Http::builder().no_proxy().build().unwrap();
    assert_eq!(http.get(url).header("api-version", "v1").send().await.unwrap().status(), 401);
}
