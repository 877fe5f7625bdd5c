use serde_json::json;
use tenant_gateway_simulators::deep_security::Dialect;

use crate::support::*;

#[tokio::test]
async fn other_dialect_changes_every_open_behaviour() {
    let simulator = start(config().dialect(Dialect::other())).await;
    let primary = Client::primary(&simulator);
    let stranger = Client::new(&simulator, "0:wrong");
    assert_eq!(stranger.status("/roles").await, 403);
    assert_eq!(stranger.bare("GET", "/roles").send().await.unwrap().status(), 403);
    assert_eq!(ids(&primary.read("/tenants").await["tenants"]), [1, 2, 3]);
    assert_eq!(primary.read("/apikeys/current").await["tenantID"], 1);
    assert!(simulator.customer("Contoso Retail").secret_key.starts_with("1:"));

    simulator.set_tenant_state(2, "suspended");
    assert_eq!(Client::of(&simulator, "Contoso Retail").status("/roles").await, 401);
    assert_eq!(primary.post("/tenants/2/apikeys", json!({"keyName": "k"})).await.0, 401);
    assert_eq!(primary.post("/roles/2", json!({"description": "x"})).await.0, 400);
    assert_eq!(primary.delete("/roles/99").await.0, 200);
    assert_eq!(
        primary.post("/apikeys", json!({"keyName": "k", "roleID": 1, "nonsense": 1})).await.0,
        400
    );
    assert_eq!(primary.status("/computers?expand=a,b&overrides=maybe").await, 200);
    assert_eq!(primary.delete("/tenants/3").await.0, 200);
    assert_eq!(primary.read("/tenants/3").await["tenantState"], "pending-deletion");

    primary.write("/apikeys/1/secretkey", json!({})).await;
    assert_eq!(primary.status("/roles").await, 200);
}

#[tokio::test]
async fn dialect_can_change_while_the_simulator_runs() {
    let simulator = simulator().await;
    let stranger = Client::new(&simulator, "0:wrong");
    assert_eq!(stranger.status("/roles").await, 401);
    simulator.set_dialect(Dialect { refused_credential: 403, ..Dialect::default() });
    assert_eq!(stranger.status("/roles").await, 403);
}
