use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::Simulator;
use tenant_gateway_simulators::faults::Fault;

use crate::support::*;

const KEY: &str = "/tenants/1/apikeys";

async fn faulty(fault: Fault) -> (Simulator, Client) {
    let simulator = simulator().await;
    simulator.order_always(Calls::all(), fault);
    let client = Client::primary(&simulator);
    (simulator, client)
}

async fn make_key(client: &Client) -> reqwest::Result<Response> {
    client.request("POST", KEY).json(&json!({"keyName": "k"})).send().await
}

async fn text(fault: Fault) -> (u16, String) {
    let (_simulator, client) = faulty(fault).await;
    let response = client.request("GET", "/tenants").send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn reset_changes_nothing_and_a_lost_answer_is_carried_out() {
    for (fault, keys) in [(Fault::Reset, 1), (Fault::LoseAnswer, 2)] {
        let (simulator, client) = faulty(fault).await;
        assert!(make_key(&client).await.is_err());
        assert_eq!(simulator.api_keys(1).len(), keys);
        let seen = simulator.seen(&Calls::to("POST", KEY));
        assert_eq!((seen.len(), seen[0].status), (1, None));
        assert_eq!(seen[0].body, r#"{"keyName":"k"}"#);
        assert_eq!(seen[0].header("api-version"), Some("v1"));
    }
}

#[tokio::test]
async fn half_body_aborts_the_connection() {
    let (simulator, client) = faulty(Fault::HalfBody).await;
    let mut response = make_key(&client).await.unwrap();
    assert_eq!(response.status(), 200);
    let whole = response.content_length().unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert_eq!(first.len() as u64, whole / 2);
    assert!(response.chunk().await.is_err());
    assert_eq!(simulator.api_keys(1).len(), 2);
}

#[tokio::test]
async fn status_names_internals_and_can_have_retry_after() {
    let (_simulator, client) = faulty(Fault::Status { status: 503, retry_after: Some(7) }).await;
    let response = client.request("GET", "/tenants").send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "7");
    let (status, body) = taken(response).await;
    assert_eq!(status, 503);
    assert!(body["message"].as_str().unwrap().contains("dsm-db.internal"));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "measures how long an answer really takes")]
async fn delayed_answer_is_the_true_answer() {
    let (_simulator, client) = faulty(Fault::Delay { millis: 50 }).await;
    let start = Instant::now();
    assert_eq!(ids(&client.read("/tenants").await["tenants"]), [1, 2]);
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn call_is_carried_out_although_the_caller_gives_up() {
    let (simulator, client) = faulty(Fault::Delay { millis: 60_000 }).await;
    let request = client
        .request("POST", KEY)
        .json(&json!({"keyName": "k"}))
        .timeout(Duration::from_millis(300));
    assert!(request.send().await.is_err_and(|error| error.is_timeout()));
    assert_eq!(simulator.api_keys(1).len(), 2);
}

#[tokio::test]
async fn slow_answer_is_the_true_answer() {
    let (_simulator, client) = faulty(Fault::SlowDrip { bytes: 100, pause_millis: 1 }).await;
    assert_eq!(ids(&client.read("/tenants").await["tenants"]), [1, 2]);
}

#[tokio::test]
async fn redirect_names_its_location() {
    let (_simulator, client) =
        faulty(Fault::Redirect { location: "http://127.0.0.1:9/".to_owned() }).await;
    let response = client.request("GET", "/tenants").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (302, &"http://127.0.0.1:9/".parse().unwrap())
    );
}

#[tokio::test]
async fn rubbish_of_every_kind_comes_with_200() {
    let (status, html) = text(Fault::Html).await;
    assert!(status == 200 && html.starts_with("<!DOCTYPE html>"));
    assert_eq!(
        text(Fault::Rubbish { text: "{\"tenants\":".to_owned() }).await,
        (200, "{\"tenants\":".to_owned())
    );
    let (_, nested) = text(Fault::DeepNesting { depth: 10_000 }).await;
    assert_eq!(nested.matches('[').count(), 10_000);
    let (_, wrong) = text(Fault::NotANumber).await;
    assert!(wrong.contains(r#""ID":NaN"#));
    let (_, mistyped) = text(Fault::WrongTypes).await;
    let mistyped: Value = serde_json::from_str(&mistyped).unwrap();
    assert_eq!(mistyped["tenants"][0]["name"], json!([7]));
}

#[tokio::test]
async fn huge_answer_is_generated_while_it_is_sent() {
    let (_simulator, client) = faulty(Fault::Huge { bytes: 40_000_000 }).await;
    let mut response = client.request("GET", "/computers").send().await.unwrap();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        length += chunk.len();
    }
    assert!(length > 40_000_000);
}

#[tokio::test]
async fn order_applies_to_its_tenant_and_ends() {
    let simulator = simulator().await;
    simulator.order(
        Calls::to("GET", "/computers*").of(1),
        Fault::Status { status: 500, retry_after: None },
        2,
    );
    let contoso = Client::of(&simulator, "Contoso Retail");
    let fabrikam = Client::of(&simulator, "Fabrikam Energy");
    assert_eq!(fabrikam.status("/computers/1?expand=none").await, 200);
    assert_eq!(contoso.status("/roles").await, 200);
    assert_eq!(contoso.status("/computers/1?expand=none").await, 500);
    assert_eq!(contoso.status("/computers?expand=none").await, 500);
    assert_eq!(contoso.status("/computers?expand=none").await, 200);
    simulator.order_always(Calls::all(), Fault::Status { status: 500, retry_after: None });
    assert_eq!(contoso.status("/roles").await, 500);
    simulator.clear_orders();
    assert_eq!(contoso.status("/roles").await, 200);
    assert_eq!(simulator.count(&Calls::all()), 7);
    simulator.forget_calls();
    assert_eq!(simulator.count(&Calls::all()), 0);
}

#[tokio::test]
async fn peak_of_concurrent_requests_is_recorded() {
    let (simulator, primary) = faulty(Fault::Delay { millis: 100 }).await;
    let contoso = Client::of(&simulator, "Contoso Retail");
    tokio::join!(primary.status("/roles"), primary.status("/roles"), contoso.status("/roles"));
    let peak = simulator.peak();
    assert_eq!((peak.requests, peak.tenants), (3, 2));
    primary.status("/roles").await;
    assert_eq!(simulator.peak(), peak);
}

#[tokio::test]
async fn stopped_manager_refuses_connections() {
    let simulator = simulator().await;
    let client = Client::primary(&simulator);
    assert_eq!(client.status("/roles").await, 200);
    simulator.stop().await;
    assert!(client.request("GET", "/roles").send().await.is_err_and(|error| error.is_connect()));
}
