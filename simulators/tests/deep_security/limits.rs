use std::time::Duration;

use serde_json::json;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::Limits;

use crate::support::*;

#[tokio::test]
async fn rate_limit_applies_to_one_key() {
    let simulator = start(config().limits(Limits { key: Some(3), ..Limits::NONE })).await;
    let client = Client::of(&simulator, "Contoso Retail");
    for _ in 0..3 {
        assert_eq!(client.status("/roles").await, 200);
    }
    assert_eq!(client.get("/roles").await, (429, json!({"message": "Too many API requests"})));
    assert_eq!(Client::of(&simulator, "Fabrikam Energy").status("/roles").await, 200);
    simulator.advance(Duration::from_mins(1));
    assert_eq!(client.status("/roles").await, 200);
    assert_eq!(simulator.count(&Calls::to("GET", "/roles").of(1)), 5);
}

#[tokio::test]
async fn tenant_and_node_have_their_own_limits() {
    let simulator =
        start(config().limits(Limits { key: None, tenant: Some(2), node: Some(3) })).await;
    let contoso = Client::of(&simulator, "Contoso Retail");
    let other_key =
        Client::new(&simulator, &simulator.make_api_key(1, json!({"keyName": "k", "roleID": 2})));
    assert_eq!(contoso.status("/roles").await, 200);
    assert_eq!(other_key.status("/roles").await, 200);
    assert_eq!(contoso.status("/roles").await, 429);
    let fabrikam = Client::of(&simulator, "Fabrikam Energy");
    assert_eq!(fabrikam.status("/roles").await, 200);
    assert_eq!(fabrikam.status("/roles").await, 429);
}
