//! A program that asks for a code.

use serde_json::{Value, json};

use crate::oauth::asking::form;
use crate::support::browser::Browser;
use crate::support::caller::Gateway;
use crate::support::{Answer, notes};

pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The codes that a program holds.
#[derive(Clone)]
pub struct Codes {
    pub device: String,
    pub user: String,
    pub answer: Value,
}

impl Codes {
    fn of(answer: Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = |name: &str| answer.body[name].as_str().expect("text").to_owned();
        notes::note(&text("device_code"));
        Self { device: text("device_code"), user: text("user_code"), answer: answer.body.clone() }
    }
}

/// Asks as the Taegis SDK does.
pub async fn start_sdk(gateway: &Gateway) -> Codes {
    Codes::of(ask_sdk(gateway).await)
}

pub async fn ask_sdk(gateway: &Gateway) -> Answer {
    let post = gateway.http.post(format!("{}/universal-auth/device/code/auth", gateway.url));
    gateway.send(post.header("content-length", "0").header("user-agent", "sdk/2.0")).await
}

/// The request of the SDK that is held; not yet sent.
pub fn held(gateway: &Gateway, codes: &Codes) -> reqwest::RequestBuilder {
    let post = gateway.http.post(format!("{}/universal-auth/device/code/token", gateway.url));
    post.json(&json!({ "device_code": codes.device, "interval": 5 }))
}

/// Asks by RFC 8628.
pub async fn start(gateway: &Gateway, parameters: &[(&str, &str)]) -> Codes {
    Codes::of(ask(gateway, parameters).await)
}

pub async fn ask(gateway: &Gateway, parameters: &[(&str, &str)]) -> Answer {
    let fields: Vec<_> = [("client_id", "tool")].iter().chain(parameters).copied().collect();
    gateway.send(form(gateway, "/oauth2/device_authorization", &fields)).await
}

/// Polls the token endpoint.
pub async fn poll(gateway: &Gateway, codes: &Codes) -> Answer {
    poll_as(gateway, codes, "tool").await
}

pub async fn poll_as(gateway: &Gateway, codes: &Codes, program: &str) -> Answer {
    let fields =
        [("grant_type", GRANT_TYPE), ("device_code", &*codes.device), ("client_id", program)];
    gateway.send(form(gateway, "/oauth2/token", &fields)).await
}

/// Decides in a browser that is signed in; the heading of the page that says so.
pub async fn decide(browser: &Browser, codes: &Codes, action: &str) -> String {
    let fields = [("user_code", &*codes.user), ("action", action)];
    let page = browser.post("/device", &fields).await;
    assert!([200, 403, 422].contains(&page.status), "{}", page.text);
    page.heading().to_owned()
}

/// The error of an answer.
pub fn error(answer: &Answer) -> &str {
    assert!(answer.status >= 400, "{}", answer.body);
    answer.body["error"].as_str().expect("a code")
}
