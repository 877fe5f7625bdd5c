//! An HTTP client without types of the simulator.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tenant_gateway_simulators::clock::Clock;
use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};

pub const NOW: i64 = 1_700_000_000_000;
pub const HOUR: Duration = Duration::from_hours(1);

/// A simulator of two customers with equal ids, whose clock stands still.
pub fn config() -> Config {
    Config::default()
        .clock(Clock::standing_at(NOW))
        .tenant(TenantSeed::named("Contoso Retail").computers(12))
        .tenant(TenantSeed::named("Fabrikam Energy").computers(12))
}

pub async fn simulator() -> Simulator {
    start(config()).await
}

pub async fn start(config: Config) -> Simulator {
    Simulator::start(config).await.expect("a free port")
}

pub fn unlimited() -> Config {
    config().limits(Limits::NONE)
}

/// A client with one secret key.
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    secret: String,
}

impl Client {
    pub fn new(simulator: &Simulator, secret: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self {
            http: http.expect("a client"),
            base_url: simulator.base_url.clone(),
            secret: secret.to_owned(),
        }
    }

    pub fn primary(simulator: &Simulator) -> Self {
        Self::new(simulator, &simulator.primary().secret_key)
    }

    pub fn of(simulator: &Simulator, customer: &str) -> Self {
        Self::new(simulator, &simulator.customer(customer).secret_key)
    }

    /// A request without any header.
    pub fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.http.request(method, format!("{}{path}", self.base_url))
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.bare(method, path).header("api-version", "v1").header("api-secret-key", &self.secret)
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        taken(self.request("GET", path).send().await.expect("an answer")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        taken(self.request("POST", path).json(&body).send().await.expect("an answer")).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        taken(self.request("DELETE", path).send().await.expect("an answer")).await
    }

    /// The body of a call; panics on an error.
    pub async fn read(&self, path: &str) -> Value {
        succeeded(self.get(path).await)
    }

    /// The body of a call; panics on an error.
    pub async fn write(&self, path: &str, body: Value) -> Value {
        succeeded(self.post(path, body).await)
    }

    pub async fn status(&self, path: &str) -> u16 {
        self.get(path).await.0
    }
}

fn succeeded((status, body): (u16, Value)) -> Value {
    assert_eq!(status, 200, "{body}");
    body
}

/// Status and body; checks the vendor's format of errors.
pub async fn taken(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.bytes().await.expect("a whole body");
    let value =
        if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
    assert!(status < 400 || value["message"].is_string(), "{status} {value}");
    (status, value)
}

pub fn ids(list: &Value) -> Vec<i64> {
    list.as_array()
        .expect("a list")
        .iter()
        .map(|object| object["ID"].as_i64().expect("an ID"))
        .collect()
}

/// The body of a search page.
pub fn page(after: i64, items: usize) -> Value {
    let criterion = json!({"idTest": "greater-than", "idValue": after});
    json!({"maxItems": items, "searchCriteria": [criterion], "sortByObjectID": true})
}
