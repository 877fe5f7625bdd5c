use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use tenant_gateway_simulators::deep_security::{Simulator, TenantSeed};

use crate::support::*;

struct Session {
    cookie: String,
    rid: String,
}

async fn open(simulator: &Simulator, body: Value) -> Result<Session, u16> {
    let client = Client::new(simulator, "");
    let response = client
        .bare("POST", "/sessions")
        .header("api-version", "v1")
        .json(&body)
        .send()
        .await
        .unwrap();
    let cookie =
        response.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().unwrap().to_owned());
    let length = response.content_length();
    let (status, opened) = taken(response).await;
    let Some(cookie) = cookie else { return Err(status) };
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly"));
    assert_eq!(length, Some(141));
    let rid = opened["RID"].as_str().unwrap().to_owned();
    Ok(Session { cookie: cookie.split(';').next().unwrap().to_owned(), rid })
}

async fn make_key(simulator: &Simulator, session: &Session, rid: Option<&str>) -> (u16, Value) {
    let client = Client::new(simulator, "");
    let mut request = client
        .bare("POST", "/apikeys")
        .header("api-version", "v1")
        .header("cookie", &session.cookie);
    if let Some(rid) = rid {
        request = request.header("rID", rid);
    }
    taken(request.json(&json!({"keyName": "First Key", "roleID": 1})).send().await.unwrap()).await
}

#[tokio::test]
async fn session_creates_the_first_key() {
    let simulator = simulator().await;
    let session =
        open(&simulator, json!({"userName": "MasterAdmin", "password": "Primary password"}))
            .await
            .unwrap();
    let (status, key) = make_key(&simulator, &session, Some(&session.rid)).await;
    assert_eq!(status, 200);
    let client = Client::new(&simulator, key["secretKey"].as_str().unwrap());
    assert_eq!(client.read("/apikeys/current").await["keyName"], "First Key");
    assert_eq!(make_key(&simulator, &session, None).await.0, 403);
    assert_eq!(make_key(&simulator, &session, Some("0")).await.0, 403);
}

#[tokio::test]
async fn session_belongs_to_its_tenant_and_expires_when_idle() {
    let simulator = simulator().await;
    let body = json!({
        "userName": "MasterAdmin",
        "password": "Fabrikam Energy password",
        "tenantName": "Fabrikam Energy",
    });
    let session = open(&simulator, body).await.unwrap();
    let (_, key) = make_key(&simulator, &session, Some(&session.rid)).await;
    let client = Client::new(&simulator, key["secretKey"].as_str().unwrap());
    assert_eq!(client.read("/apikeys/current").await["tenantID"], 2);
    simulator.advance(HOUR / 2);
    assert_eq!(make_key(&simulator, &session, Some(&session.rid)).await.0, 401);
}

#[tokio::test]
async fn invalid_credentials_open_no_session() {
    let tenant = TenantSeed::named("Northwind").administrator("na", "np").mfa_code("123456");
    let simulator = start(config().tenant(tenant)).await;
    let with = |name: &str, password: &str, tenant: &str, code: &str| {
        open(
            &simulator,
            json!({"userName": name, "password": password, "tenantName": tenant, "mfaCode": code}),
        )
    };
    assert!(with("na", "np", "Northwind", "123456").await.is_ok());
    for (name, password, tenant, code) in [
        ("na", "np", "Northwind", ""),
        ("na", "wrong", "Northwind", "123456"),
        ("na", "np", "Southwind", "123456"),
        ("na", "np", "", "123456"),
    ] {
        assert_eq!(
            with(name, password, tenant, code).await.err(),
            Some(401),
            "{name} {password} {tenant} {code}"
        );
    }
}
