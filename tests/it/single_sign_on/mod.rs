//! Single sign-on: people sign in at the OpenID Connect provider of their tenant.

mod accounts;
mod administration;
mod answers;
mod domains;
mod enforcement;
mod faults;
mod links;

use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use crate::support::browser::{Browser, Page, invite};
use crate::support::identity_provider::{CLIENT_ID, IdentityProvider};
use crate::support::{Answer, Engine, OnEngine, TestApp};

const SET: &str = "mutation($input: SetIdentityProviderInput!) {
    setIdentityProvider(input: $input) {
        id issuer clientID domains enabled signInPath defaultRole { name } emergencyUserID
        redirectURIs
    }
}";

/// A gateway, and the provider of the tenant North.
struct Rig {
    app: TestApp,
    provider: IdentityProvider,
    /// The path of the sign-in link.
    link: String,
}

impl OnEngine for Rig {
    async fn on(engine: Engine) -> Self {
        let app = TestApp::with(engine, |config| {
            config.upstream.allow_private_addresses = true;
        })
        .await;
        let provider = provider_of(&app).await;
        let set = set(&app, app.world.north, &provider, json!({})).await;
        let set = set.field("setIdentityProvider");
        let link = set["signInPath"].as_str().expect("a path").to_owned();
        Self { app, provider, link }
    }
}

/// Links a user to an account at some provider, as after a sign-in there.
pub async fn linked(app: &TestApp, user: &str) {
    let id = match app.database.engine {
        Engine::Sqlite => format!("X'{}'", user.replace('-', "")),
        Engine::Postgres => format!("'{user}'::uuid"),
    };
    let sql = format!(
        "INSERT INTO user_identities (user_id, tenant_id, issuer, subject, created_at)
        SELECT id, tenant_id, 'https://id.invalid', '{user}', created_at FROM users WHERE id = {id}"
    );
    app.operator.execute(&sql).await;
}

/// A provider with the clock of the gateway.
async fn provider_of(app: &TestApp) -> IdentityProvider {
    let clock = app.clock.clone();
    IdentityProvider::start(move || tenant_gateway::clock::Clock::now(&*clock).seconds()).await
}

/// Sets the provider of a tenant as its administrator, with some fields other than usual.
async fn set(
    app: &TestApp,
    tenant: TenantId,
    provider: &IdentityProvider,
    fields: Value,
) -> Answer {
    let administrator = app.administrator(tenant).await;
    administrator.ask(SET, json!({ "input": input(provider, &fields) })).await
}

fn input(provider: &IdentityProvider, fields: &Value) -> Value {
    let mut input = json!({
        "issuer": provider.issuer(),
        "clientID": CLIENT_ID,
        "clientSecret": provider.secret(),
        "domains": ["north.example"],
    });
    for (name, value) in fields.as_object().expect("fields") {
        input[name] = value.clone();
    }
    input
}

impl Rig {
    async fn invite(&self, email: &str) -> String {
        invite(&self.app, self.app.world.north, Role::Auditor, email).await.0
    }

    /// A person opens the sign-in link: where they are sent.
    async fn depart(&self, browser: &Browser) -> String {
        browser.get(&self.link).await.location().to_owned()
    }

    /// A whole sign-in in a browser of its own.
    async fn sign_in(&self) -> (Browser, Page) {
        let browser = Browser::new(&self.app.gateway);
        let location = self.depart(&browser).await;
        let page = browser.get(&self.provider.approve(&location)).await;
        (browser, page)
    }

    /// The reasons of refused sign-ins in the audit log of the tenant.
    async fn reasons(&self) -> Vec<String> {
        self.app.background_jobs.run_once().await.unwrap();
        let administrator = self.app.administrator(self.app.world.north).await;
        let document = r#"{ auditLog(operation: "singleSignOn") { edges { node { reason } } } }"#;
        let log = administrator.ask(document, json!({})).await.field("auditLog");
        let edges = log["edges"].as_array().expect("a list").iter();
        edges.map(|edge| edge["node"]["reason"].as_str().expect("a reason").to_owned()).collect()
    }
}

/// The person of a session.
async fn signed_in(browser: &Browser) -> Option<String> {
    let session = browser.session().await;
    session["user"]["id"].as_str().map(str::to_owned)
}
