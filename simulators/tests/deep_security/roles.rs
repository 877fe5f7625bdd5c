use serde_json::{Value, json};
use tenant_gateway_simulators::deep_security::Simulator;

use crate::support::*;

async fn with_role(simulator: &Simulator, role: Value) -> Client {
    let contoso = Client::of(simulator, "Contoso Retail");
    let role = contoso.write("/roles", role).await;
    let secret = simulator.make_api_key(1, json!({"keyName": "k", "roleID": role["ID"]}));
    Client::new(simulator, &secret)
}

#[tokio::test]
async fn role_is_found_by_its_name() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let criterion = json!({"fieldName": "name", "stringTest": "equal", "stringValue": "Auditor"});
    let found = client.write("/roles/search", json!({"searchCriteria": [criterion]})).await;
    assert_eq!(ids(&found["roles"]), [2]);
    assert_eq!(
        found["roles"][0]["rights"]["platformRights"]["apikeyRights"]["canViewApiKeys"],
        true
    );
    assert_eq!(
        found["roles"][0]["rights"]["platformRights"]["apikeyRights"]["canCreateNewApiKeys"],
        false
    );
}

#[tokio::test]
async fn auditor_can_read_and_not_change() {
    let simulator = simulator().await;
    let client =
        Client::new(&simulator, &simulator.make_api_key(1, json!({"keyName": "k", "roleID": 2})));
    for path in ["/computers?expand=none", "/policies/1", "/roles", "/apikeys", "/apikeys/current"]
    {
        assert_eq!(client.status(path).await, 200, "{path}");
    }
    for path in [
        "/computers",
        "/computers/1",
        "/policies",
        "/policies/1",
        "/roles",
        "/apikeys",
        "/apikeys/1/secretkey",
    ] {
        assert_eq!(client.post(path, json!({"name": "n", "hostName": "n"})).await.0, 403, "{path}");
    }
    for path in [
        "/computers/1",
        "/policies/1",
        "/apikeys/1",
        "/computers/1/settings/firewallSettingReconnaissanceEnabled",
    ] {
        assert_eq!(client.delete(path).await.0, 403, "{path}");
    }
}

#[tokio::test]
async fn role_is_limited_to_its_computers_and_policies() {
    let simulator = simulator().await;
    let role = json!({
        "name": "R",
        "allComputers": false,
        "computerIDs": [3],
        "allPolicies": false,
        "policyIDs": [2],
    });
    let client = with_role(&simulator, role).await;
    assert_eq!(ids(&client.read("/computers?expand=none").await["computers"]), [3]);
    assert_eq!(ids(&client.read("/policies").await["policies"]), [2]);
    assert_eq!(client.status("/computers/4").await, 403);
    assert_eq!(client.status("/policies/1").await, 403);
}

#[tokio::test]
async fn role_cannot_exceed_the_rights_of_its_creator() {
    let simulator = simulator().await;
    let rights = json!({"platformRights": {
        "apikeyRights": {"canCreateNewApiKeys": true},
        "administratorRoleRights": {"canCreateNewAdministratorRoles": true},
    }});
    let client = with_role(&simulator, json!({"name": "R", "rights": rights.clone()})).await;
    assert_eq!(client.post("/apikeys", json!({"keyName": "n", "roleID": 1})).await.0, 403);
    assert_eq!(client.post("/apikeys", json!({"keyName": "n", "roleID": 3})).await.0, 200);
    assert_eq!(client.post("/roles", json!({"name": "S", "rights": rights})).await.0, 200);
    let more = json!({"platformRights": {"computerRights": {"canDeleteComputers": true}}});
    assert_eq!(client.post("/roles", json!({"name": "T", "rights": more})).await.0, 403);
}

#[tokio::test]
async fn built_in_and_used_roles_cannot_be_deleted() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    assert_eq!(client.post("/roles/2", json!({"description": "x"})).await.0, 403);
    assert_eq!(client.delete("/roles/2").await.0, 403);
    let user = with_role(&simulator, json!({"name": "R"})).await;
    assert_eq!(user.status("/computers?expand=none").await, 200);
    assert_eq!(client.post("/roles", json!({"name": "R"})).await.0, 400);
    assert_eq!(client.delete("/roles/3").await.0, 400);
    assert_eq!(
        client.write("/roles/3", json!({"allowWebService": false})).await["allowWebService"],
        false
    );
    assert_eq!(user.status("/computers?expand=none").await, 403);
}
