use serde_json::json;
use tenant_gateway_simulators::deep_security::Product;

use crate::support::*;

#[tokio::test]
async fn tenant_key_is_valid_in_its_tenant_for_six_hours() {
    let simulator = simulator().await;
    let primary = Client::primary(&simulator);
    let body = json!({
        "keyName": "Temporary Key",
        "locale": "en-US",
        "roleID": 2,
        "timeZone": "Asia/Tokyo",
    });
    let key = primary.write("/tenants/2/apikeys", body).await;
    assert_eq!((&key["serviceAccount"], &key["roleID"]), (&json!(true), &json!(2)));
    assert_eq!(key["expiryDate"], NOW + 6 * 3_600_000);
    let secret = key["secretKey"].as_str().unwrap();
    assert!(secret.starts_with(&simulator.customer("Fabrikam Energy").guid));

    let client = Client::new(&simulator, secret);
    let computers = client.read("/computers?expand=none").await;
    assert_eq!(computers["computers"][0]["hostName"], "host-1.fabrikam-energy.example");
    assert!(
        ids(&client.read("/apikeys").await.get("apiKeys").cloned().unwrap_or_default())
            .contains(&2)
    );
    assert_eq!(client.status("/tenants").await, 403);
    simulator.advance(6 * HOUR);
    assert_eq!(client.status("/computers?expand=none").await, 401);
}

#[tokio::test]
async fn tenant_key_without_role_has_full_access() {
    let simulator = simulator().await;
    let primary = Client::primary(&simulator);
    assert_eq!(primary.write("/tenants/1/apikeys", json!({"keyName": "k"})).await["roleID"], 1);
    assert_eq!(
        primary.post("/tenants/1/apikeys", json!({"keyName": "k", "roleID": 7})).await.0,
        400
    );
    assert_eq!(primary.post("/tenants/1/apikeys", json!({"roleID": 1})).await.0, 400);
    assert_eq!(primary.post("/tenants/9/apikeys", json!({"keyName": "k"})).await.0, 404);
}

#[tokio::test]
async fn suspended_tenant_refuses_its_keys() {
    let simulator = simulator().await;
    let primary = Client::primary(&simulator);
    let contoso = Client::of(&simulator, "Contoso Retail");
    let suspended = primary.write("/tenants/1", json!({"tenantState": "suspended"})).await;
    assert_eq!(suspended["tenantState"], "suspended");
    assert_eq!(contoso.status("/roles").await, 403);
    assert_eq!(primary.post("/tenants/1/apikeys", json!({"keyName": "k"})).await.0, 403);
    assert_eq!(Client::of(&simulator, "Fabrikam Energy").status("/roles").await, 200);
    simulator.set_tenant_state(1, "active");
    assert_eq!(contoso.status("/roles").await, 200);
}

#[tokio::test]
async fn tenants_are_found_created_and_deleted() {
    let simulator = simulator().await;
    let primary = Client::primary(&simulator);
    assert_eq!(ids(&primary.read("/tenants").await["tenants"]), [1, 2]);
    let criterion =
        json!({"fieldName": "name", "stringTest": "equal", "stringValue": "Fabrikam Energy"});
    let found = primary.write("/tenants/search", json!({"searchCriteria": [criterion]})).await;
    assert_eq!(ids(&found["tenants"]), [2]);

    let body =
        json!({"name": "acme", "administrator": {"username": "TA", "password": "p", "roleID": 1}});
    let made =
        primary.write("/tenants?confirmationRequired=False&asynchronous=True", body.clone()).await;
    assert_eq!((&made["ID"], &made["tenantState"]), (&json!(3), &json!("created")));
    assert!(made.get("administrator").is_none());
    simulator.advance(HOUR);
    assert_eq!(primary.read("/tenants/3").await["tenantState"], "active");
    assert_eq!(primary.post("/tenants", body).await.0, 400);
    assert_eq!(
        primary.write("/tenants", json!({"name": "b"})).await["tenantState"],
        "confirmation-required"
    );

    let key = primary.write("/tenants/3/apikeys", json!({"keyName": "k"})).await;
    let client = Client::new(&simulator, key["secretKey"].as_str().unwrap());
    assert_eq!(ids(&client.read("/roles").await["roles"]), [1, 2]);
    assert_eq!(client.read("/computers").await, json!({"computers": []}));
    assert_eq!(primary.delete("/tenants/3").await.0, 200);
    assert_eq!(client.status("/roles").await, 401);
    assert_eq!(primary.get("/tenants/3").await.0, 404);
    assert_eq!(primary.delete("/tenants/0").await.0, 400);
}

#[tokio::test]
async fn cloud_one_has_no_tenants_and_accepts_its_own_header() {
    let simulator = start(config().product(Product::CloudOne)).await;
    let client = Client::primary(&simulator);
    assert_eq!(client.status("/tenants").await, 404);
    let header = format!("ApiKey {}", simulator.customer("Contoso Retail").secret_key);
    let request = client
        .bare("GET", "/apikeys/current")
        .header("api-version", "v1")
        .header("authorization", header);
    let (status, key) = taken(request.send().await.unwrap()).await;
    assert_eq!(
        (status, &key["tenantID"], &key["cloudOneAccountID"]),
        (200, &json!(1), &json!("000000000001"))
    );
}
