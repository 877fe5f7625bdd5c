//! Passkeys: as a second factor, and as a sign-in of their own.

mod authenticator;
mod registration;
mod sign_in;

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use self::authenticator::{Authenticator, ORIGIN};
use crate::support::browser::{Browser, Page, Person, enrol};
use crate::support::{Engine, OnEngine, TestApp};

/// A gateway at a site that has passkeys, with a person who is signed in.
struct Rig {
    app: TestApp,
    ann: Person,
    browser: Browser,
}

impl OnEngine for Rig {
    async fn on(engine: Engine) -> Self {
        let app = TestApp::with(engine, |config| {
            config.server.public_url = Some(ORIGIN.to_owned());
        })
        .await;
        let (ann, browser) = enrol(&app, app.world.north, Role::Auditor, "ann@north.example").await;
        Self { app, ann, browser }
    }
}

/// Sends JSON as a script of the gateway's own page.
async fn post(browser: &Browser, path: &str, body: &Value) -> (u16, Value) {
    let page = send(browser, path, body).await;
    (page.status, serde_json::from_str(&page.text).expect("JSON"))
}

/// The same, with the headers of the answer.
async fn send(browser: &Browser, path: &str, body: &Value) -> Page {
    let gateway = &browser.gateway;
    let request = gateway.http.post(format!("{}{path}", gateway.url)).json(body);
    let request = request.header("origin", ORIGIN).header("sec-fetch-site", "same-origin");
    let request = request.header("x-csrf-token", browser.csrf().await);
    browser.send(request).await
}

/// The options of a ceremony that begins, and its id.
async fn begin(browser: &Browser, path: &str) -> (Value, Value) {
    let (status, begun) = post(browser, path, &json!({})).await;
    assert_eq!(status, 200, "{begun}");
    (begun["options"].clone(), begun["ceremony"].clone())
}

/// Registers a passkey of the person who is signed in.
async fn register(browser: &Browser, name: &str) -> Authenticator {
    let mut authenticator = Authenticator::new();
    let (options, ceremony) = begin(browser, "/account/passkeys/options").await;
    let credential = authenticator.create(&options);
    let body = json!({ "ceremony": ceremony, "credential": credential, "name": name });
    let (status, answer) = post(browser, "/account/passkeys/register", &body).await;
    assert_eq!((status, &answer["next"]), (200, &json!("/account/passkeys")), "{answer}");
    authenticator
}

/// Signs in with the passkey alone.
async fn sign_in(browser: &Browser, authenticator: &mut Authenticator) -> (u16, Value) {
    browser.get("/login").await;
    let (options, ceremony) = begin(browser, "/login/passkey/options").await;
    let credential = authenticator.get(&options);
    post(browser, "/login/passkey", &json!({ "ceremony": ceremony, "credential": credential }))
        .await
}

async fn signed_in(browser: &Browser) -> Option<String> {
    let session = browser.session().await;
    session["user"]["id"].as_str().map(str::to_owned)
}
