use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn key_is_created_used_rotated_locked_and_deleted() {
    let simulator = simulator().await;
    let client = Client::primary(&simulator);
    let body = json!({
        "keyName": "n",
        "description": "d",
        "locale": "en-US",
        "roleID": "2",
        "timeZone": "Asia/Tokyo",
    });
    let key = client.write("/apikeys", body).await;
    assert_eq!(
        (&key["roleID"], &key["active"], &key["created"]),
        (&json!(2), &json!(true), &json!(NOW))
    );
    let path = format!("/apikeys/{}", key["ID"]);

    let first = Client::new(&simulator, key["secretKey"].as_str().unwrap());
    assert_eq!(first.read("/apikeys/current").await["tenantID"], 0);
    assert!(client.read(&path).await.get("secretKey").is_none());
    let renewed = client.write(&format!("{path}/secretkey"), json!({})).await;
    assert_eq!(first.status("/roles").await, 401);

    let second = Client::new(&simulator, renewed["secretKey"].as_str().unwrap());
    assert_eq!(second.status("/roles").await, 200);
    client.write(&path, json!({"active": false})).await;
    assert_eq!(second.status("/roles").await, 401);
    client.write(&path, json!({"active": true})).await;
    assert_eq!(second.status("/roles").await, 200);
    client.write(&path, json!({"unlockTime": NOW + 3_600_000})).await;
    assert_eq!(second.status("/roles").await, 401);
    simulator.advance(HOUR);
    assert_eq!(second.status("/roles").await, 200);
    assert_eq!(client.delete(&path).await.0, 200);
    assert_eq!(second.status("/roles").await, 401);
    assert_eq!(client.get(&path).await.0, 404);
}

#[tokio::test]
async fn key_is_refused_after_its_expiry() {
    let simulator = simulator().await;
    let client = Client::primary(&simulator);
    let body = json!({"keyName": "n", "roleID": 2, "expiryDate": NOW + 3_600_000});
    let key = client.write("/apikeys", body).await;
    let short = Client::new(&simulator, key["secretKey"].as_str().unwrap());
    assert_eq!(short.status("/apikeys/current").await, 200);
    simulator.advance(HOUR);
    assert_eq!(short.status("/apikeys/current").await, 401);
    assert_eq!(client.status("/apikeys/current").await, 200);
}

#[tokio::test]
async fn key_can_change_only_some_members_of_itself() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let changed = client
        .write("/apikeys/current", json!({"keyName": "renamed", "roleID": 2, "active": false}))
        .await;
    assert_eq!((&changed["keyName"], &changed["roleID"]), (&json!("renamed"), &json!(1)));
    assert_eq!(changed["tenantGUID"], simulator.customer("Contoso Retail").guid.as_str());
    let renewed = client.write("/apikeys/current/secretkey", json!({})).await;
    assert_eq!(client.status("/roles").await, 401);
    assert_eq!(
        Client::new(&simulator, renewed["secretKey"].as_str().unwrap()).status("/roles").await,
        200
    );
}

#[tokio::test]
async fn invalid_keys_are_refused() {
    let simulator = simulator().await;
    let client = Client::primary(&simulator);
    for body in [
        json!({"roleID": 1}),
        json!({"keyName": "n"}),
        json!({"keyName": "n", "roleID": 9}),
        json!({"keyName": "n", "roleID": 1, "locale": "de-DE"}),
        json!({"keyName": "n", "roleID": 1, "expiryDate": "soon"}),
    ] {
        assert_eq!(client.post("/apikeys", body.clone()).await.0, 400, "{body}");
    }
    assert_eq!(client.delete("/apikeys/99").await.0, 404);
    assert_eq!(client.post("/apikeys/99/secretkey", json!({})).await.0, 404);
    assert_eq!(client.get("/apikeys/1%2F2").await.0, 404);
    assert_eq!(client.get("/apikeys/-1").await.0, 404);
}

#[tokio::test]
async fn credentials_and_version_are_checked_first() {
    let simulator = simulator().await;
    let client = Client::new(&simulator, "0:wrong");
    assert_eq!(client.status("/nothing").await, 401);
    let status =
        async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(client.bare("GET", "/roles").header("api-version", "v1")).await, 401);
    assert_eq!(status(client.bare("GET", "/roles")).await, 400);
    assert_eq!(status(client.bare("GET", "/roles").header("api-version", "v9")).await, 400);
    let cloud_one = format!("ApiKey {}", simulator.primary().secret_key);
    let request =
        client.bare("GET", "/roles").header("api-version", "v1").header("authorization", cloud_one);
    assert_eq!(status(request).await, 401);
}

#[tokio::test]
async fn body_must_be_json() {
    let simulator = simulator().await;
    let client = Client::primary(&simulator);
    let post = async |content_type: &str, body: &'static str| {
        let request = client.request("POST", "/apikeys").header("content-type", content_type);
        taken(request.body(body).send().await.unwrap()).await.0
    };
    assert_eq!(post("application/json", "{\"keyName\":").await, 400);
    assert_eq!(post("application/json", "[]").await, 400);
    assert_eq!(post("application/x-www-form-urlencoded", "{}").await, 415);
    assert_eq!(
        post("application/json;charset=UTF-8", "{\"keyName\":\"n\",\"roleID\":1}").await,
        200
    );
}
