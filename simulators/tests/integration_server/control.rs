use reqwest::Client as Http;
use serde_json::{Value, json};
use tenant_gateway_simulators::integration_server::Config;

use crate::support::*;

#[tokio::test]
async fn other_programs_order_and_count() {
    let simulator = start(Config { control: true, ..config() }).await;
    let client = Client::new(&simulator);
    let http = Http::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("{}/_control/{path}", simulator.base_url);
    let post = async |path: &str, body: Value| {
        http.post(url(path)).json(&body).send().await.unwrap().status().as_u16()
    };

    let tenants: Value = http.get(url("tenants")).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        tenants[1],
        json!({"id": simulator.tenants[1].id, "name": "Fabrikam Energy", "type": "Simple"})
    );
    let order = json!({"calls": {"path": "/tenants"}, "fault": {"kind": "xmlBomb"}, "times": 1});
    assert_eq!(post("faults", order).await, 204);
    assert!(client.get("/tenants").await.1.contains("<!ENTITY"));
    assert_eq!(
        post("tasks", json!({"type": "CreateTenant", "fate": {"kind": "neverEnds"}, "times": 1}))
            .await,
        204
    );
    client.start("POST", "/tenants", SIMPLE).await;
    assert_eq!(post("clock", json!({"advanceMillis": 86_400_000})).await, 204);
    assert_eq!(simulator.found_tasks()[0].state, "Running");
    assert_eq!(
        (post("dialect", json!("dotnet")).await, post("dialect", json!("unheard")).await),
        (204, 400)
    );
    assert_eq!(client.bare("GET", "/tenants").send().await.unwrap().status(), 401);
    let calls: Value = http.get(url("calls")).send().await.unwrap().json().await.unwrap();
    assert_eq!((calls.as_array().unwrap().len(), &calls[1]["body"]), (3, &json!(SIMPLE)));
}

#[tokio::test]
async fn there_is_no_control_unless_it_was_asked_for() {
    let simulator = simulator().await;
    let http = Http::builder().no_proxy().build().unwrap();
    assert_eq!(
        http.get(format!("{}/_control/tenants", simulator.base_url)).send().await.unwrap().status(),
        403
    );
}
