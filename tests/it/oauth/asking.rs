//! Requests to the OAuth endpoints, and readers of their responses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::support::caller::Gateway;
use crate::support::{Answer, Caller, Credentials, TestApp};

pub const GRANT: (&str, &str) = ("grant_type", "client_credentials");
pub const INTROSPECT: &str = "/oauth2/introspect";
pub const REVOKE: &str = "/oauth2/revoke";

/// Builds a form request without sending it.
pub fn form(gateway: &Gateway, path: &str, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let body = Serializer::new(String::new()).extend_pairs(form).finish();
    let post = gateway.http.post(format!("{}{path}", gateway.url));
    post.header("content-type", "application/x-www-form-urlencoded").body(body)
}

/// Introspects a token as a client.
pub async fn told(gateway: &Gateway, by: &Credentials, token: &str) -> Value {
    let request =
        form(gateway, INTROSPECT, &[("token", token)]).header("authorization", by.basic());
    let answer = gateway.send(request).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, Some("no-store")),
        "{}",
        answer.body
    );
    answer.body
}

/// Revokes a token; returns the status.
pub async fn revoke(gateway: &Gateway, by: &Credentials, token: &str) -> u16 {
    let request = form(gateway, REVOKE, &[("token", token)]).header("authorization", by.basic());
    request.send().await.expect("the gateway answers").status().as_u16()
}

/// Requests a token with further parameters beside the grant type.
pub async fn ask_token(gateway: &Gateway, by: &Credentials, parameters: &[(&str, &str)]) -> Answer {
    let all: Vec<_> = [GRANT].iter().chain(parameters).copied().collect();
    gateway.send(form(gateway, "/oauth2/token", &all).header("authorization", by.basic())).await
}

/// Returns the caller with a token narrowed to the given tenant or scope.
pub async fn narrowed(caller: &Caller, parameters: &[(&str, &str)]) -> Caller {
    let answer = ask_token(&caller.gateway, &caller.credentials, parameters).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.body["access_token"].as_str().expect("a token").to_owned();
    let mut narrow = caller.clone();
    narrow.token = token;
    narrow
}

/// The published key set.
pub async fn jwks(gateway: &Gateway) -> Vec<Value> {
    let answer =
        gateway.send(gateway.http.get(format!("{}/.well-known/jwks.json", gateway.url))).await;
    answer.body["keys"].as_array().expect("a list of keys").clone()
}

/// The ids of the published keys, newest first.
pub async fn published(gateway: &Gateway) -> Vec<String> {
    jwks(gateway)
        .await
        .iter()
        .map(|key| key["kid"].as_str().expect("every key has an id").to_owned())
        .collect()
}

/// A part of a token: 0 the header, 1 the claims.
pub fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).expect("a JWT has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// The id of the key that signed a token.
pub fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().expect("every token names its key").to_owned()
}

/// Counts the rows of a table.
pub async fn rows(app: &TestApp, table: &str) -> i64 {
    let reader = app.operator.database.reader();
    let count = Statement::from_string(
        reader.get_database_backend(),
        format!("SELECT COUNT(*) AS n FROM {table}"),
    );
    reader.query_one_raw(count).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// The actors and reasons of the refusals at an endpoint in a tenant's audit log, newest first,
/// each repeated as often as its record counts.
pub async fn reasons(administrator: &Caller, operation: &str) -> Vec<(String, Value)> {
    let document = "query($operation: String) { auditLog(operation: $operation, outcome: REFUSED) {
        nodes { actor reason code count } } }";
    let log =
        administrator.ask(document, json!({ "operation": operation })).await.field("auditLog");
    let nodes = log["nodes"].as_array().expect("records").clone();
    let mut reasons = Vec::new();
    for node in nodes {
        assert_eq!(node["code"], "invalid_client");
        let reason = (node["actor"].as_str().expect("an actor").to_owned(), node["reason"].clone());
        let count = node["count"].as_u64().expect("a count");
        reasons.extend((0..count).map(|_| reason.clone()));
    }
    reasons
}
