//! A gateway with a simulated Deep Security manager, which the partner owns and which has the
//! tenants north and south.

use std::ops::Deref;

use serde_json::{Value, json};
use tenant_gateway::clock::Clock as _;
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::clock::Clock;
use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};

use crate::support::{Answer, Caller, Engine, OnEngine, TestApp, notes};

pub struct Rig {
    pub app: TestApp,
    pub manager: Simulator,
    /// The administrator of the partner.
    pub partner: Caller,
    /// The id of the partner's upstream.
    pub upstream: String,
}

impl Deref for Rig {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl Drop for Rig {
    /// Registers the minted keys as secrets, which no log may contain.
    fn drop(&mut self) {
        notes::note_shown(&self.manager);
    }
}

impl OnEngine for Rig {
    async fn on(engine: Engine) -> Self {
        Self::with(engine, |config| config).await
    }
}

/// The tenants north and south in the manager, with their computers.
pub fn seeds() -> Config {
    let north = TenantSeed::named("North").computers(7);
    Config::default()
        .tenant(north)
        .tenant(TenantSeed::named("South").computers(5))
        .limits(Limits::NONE)
}

/// The settings of a gateway in front of a simulator.
pub fn reach_loopback(config: &mut tenant_gateway::config::Config) {
    config.upstream.allow_private_addresses = true;
    config.upstream.calls_per_minute = 0;
}

impl Rig {
    pub async fn with(engine: Engine, change: impl FnOnce(Config) -> Config) -> Self {
        Self::with_settings(engine, change, |_| ()).await
    }

    pub async fn with_settings(
        engine: Engine,
        change: impl FnOnce(Config) -> Config,
        settings: impl FnOnce(&mut tenant_gateway::config::Config),
    ) -> Self {
        let app = TestApp::with(engine, |config| {
            reach_loopback(config);
            settings(config);
        })
        .await;
        let clock = app.clock.clone();
        let config = change(seeds().clock(Clock::reading(move || clock.now().millis())));
        let manager = Simulator::start(config).await.unwrap();
        manager.tenants.iter().for_each(|tenant| notes::note(&tenant.secret_key));
        let partner = app.administrator(app.world.partner).await;
        let secret = json!({ "secretKey": manager.primary().secret_key });
        let upstream = register(&partner, &manager.base_url, secret).await;
        let rig = Self { app, manager, partner, upstream };
        rig.link(rig.world.north, Some("North")).await;
        rig.link(rig.world.south, Some("South")).await;
        rig.manager.forget_calls();
        rig
    }

    /// Links a gateway tenant to a tenant of the manager.
    pub async fn link(&self, tenant: TenantId, remote: Option<&str>) -> Value {
        let remote = remote.map(|name| self.manager.customer(name).id.to_string());
        link(&self.partner, tenant, &self.upstream, remote).await.field("linkTenant")
    }

    pub async fn reader(&self, tenant: TenantId) -> Caller {
        self.caller(tenant, Role::Auditor).await
    }

    pub async fn writer(&self, tenant: TenantId) -> Caller {
        self.caller(tenant, Role::Responder).await
    }

    /// The number of keys requested from the primary manager for any tenant.
    pub fn mints(&self) -> u64 {
        self.manager.count(&Calls::to("POST", "/tenants/*/apikeys"))
    }

    /// The number of keys requested from the primary manager for that tenant.
    pub fn mints_for(&self, name: &str) -> u64 {
        let id = self.manager.customer(name).id;
        self.manager.count(&Calls::to("POST", &format!("/tenants/{id}/apikeys")))
    }

    /// The names of the minted keys that still exist in a tenant.
    pub fn minted(&self, name: &str) -> Vec<String> {
        let keys = self.manager.api_keys(self.manager.customer(name).id);
        let names = keys.iter().map(|key| key["keyName"].as_str().unwrap().to_owned());
        names.filter(|name| name.starts_with("tenant-gateway ")).collect()
    }
}

pub async fn register(caller: &Caller, base_url: &str, credential: Value) -> String {
    let document =
        "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: $input) { id } }";
    let input = json!({
        "name": "Manager",
        "system": "DEEP_SECURITY",
        "baseURL": base_url,
        "credential": credential,
    });
    let made = caller.ask(document, json!({ "input": input })).await.field("registerUpstream");
    made["id"].as_str().unwrap().to_owned()
}

pub async fn link(
    caller: &Caller,
    tenant: TenantId,
    upstream: &str,
    remote: Option<String>,
) -> Answer {
    let document =
        "mutation($input: LinkTenantInput!) { linkTenant(input: $input) { id tenantID } }";
    let input = json!({ "tenantID": tenant, "upstreamID": upstream, "remoteTenantID": remote });
    caller.ask(document, json!({ "input": input })).await
}

/// Runs a query below `deepSecurity` of the tenant in context.
pub async fn ask(caller: &Caller, fields: &str) -> Answer {
    caller.ask(&format!("{{ deepSecurity {{ {fields} }} }}"), json!({})).await
}

/// The data of such a query; panics on an error.
pub async fn see(caller: &Caller, fields: &str) -> Value {
    ask(caller, fields).await.field("deepSecurity")
}
