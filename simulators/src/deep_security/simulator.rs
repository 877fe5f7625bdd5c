//! The handle by which tests hold a running manager.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::config::Config;
use super::control;
use super::dialect::Dialect;
use super::manager::{KeyID, Manager};
use super::object::{object, reference, text};
use crate::calls::Calls;
use crate::faults::{Fault, FaultOrder};
use crate::host::SimulatorHost;
use crate::journal::{Peak, RecordedRequest};
use crate::server::Server;

/// A running manager. Dropping it closes its port; answers under way are finished.
pub struct Simulator {
    /// The base URL, as a client is configured with it: `http://127.0.0.1:<port>/api`.
    pub base_url: String,
    /// Whose ids, GUIDs and keys tests need: the primary first, then its customers in their order.
    pub tenants: Vec<SeededTenant>,
    host: Arc<SimulatorHost<Manager>>,
    server: Server,
}

/// A tenant that was there at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeededTenant {
    /// Its `tenantID`.
    #[serde(rename = "ID")]
    pub id: i32,
    pub guid: String,
    pub name: String,
    /// The secret of a key with full access, which never expires.
    pub secret_key: String,
}

impl Simulator {
    /// Starts a manager with the tenants of `config`.
    ///
    /// # Errors
    /// Where it cannot listen.
    pub async fn start(config: Config) -> io::Result<Self> {
        let manager = Manager::new(&config);
        let tenants = seeded(&manager);
        let host = SimulatorHost::new(manager, config.clock.clone());
        let router =
            if config.control { control::router(&host, tenants.clone()) } else { host.router() };
        let server = Server::start(config.listen, router).await?;
        Ok(Self { base_url: format!("http://{}/api", server.address), tenants, host, server })
    }

    /// Stops and waits until the port is closed; answers under way have a second to end.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// The primary tenant.
    pub fn primary(&self) -> &SeededTenant {
        &self.tenants[0]
    }

    /// A customer that was there at the start.
    ///
    /// # Panics
    /// If there was none of that name.
    pub fn customer(&self, name: &str) -> &SeededTenant {
        self.tenants.iter().find(|tenant| tenant.name == name).expect("a seeded tenant")
    }

    /// Orders a fault for the next `times` of these calls.
    pub fn order(&self, calls: Calls, fault: Fault, times: u32) {
        self.host.faults().order(FaultOrder { calls, fault, times: Some(times) });
    }

    /// Orders a fault for these calls until [`Self::clear_orders`].
    pub fn order_always(&self, calls: Calls, fault: Fault) {
        self.host.faults().order(FaultOrder { calls, fault, times: None });
    }

    /// Takes all orders back.
    pub fn clear_orders(&self) {
        self.host.faults().clear();
    }

    /// How many of these calls came in, refused and failed ones included.
    pub fn count(&self, calls: &Calls) -> u64 {
        self.host.journal().count(calls)
    }

    /// These calls in the order of their arrival; of very many only the latest 10,000 of all calls.
    pub fn seen(&self, calls: &Calls) -> Vec<RecordedRequest> {
        self.host.journal().seen(calls)
    }

    /// The most that was under way at one moment.
    pub fn peak(&self) -> Peak {
        self.host.journal().peak()
    }

    /// Forgets the calls that were seen.
    pub fn forget_calls(&self) {
        self.host.journal().clear();
    }

    /// Moves the clock forward, for this simulator and for whoever shares its clock.
    pub fn advance(&self, by: Duration) {
        self.host.clock.advance(by);
    }

    /// Sets a tenant's `tenantState`, such as `suspended`.
    pub fn set_tenant_state(&self, tenant: i32, state: &str) {
        if let Some(tenant) = self.host.console().tenants.get_mut(&tenant) {
            tenant.object.insert("tenantState".to_owned(), state.into());
            tenant.becomes = None;
        }
    }

    /// Answers by other readings from now on; ids and secrets that were given stay as they are.
    pub fn set_dialect(&self, dialect: Dialect) {
        self.host.console().speak(dialect);
    }

    /// A tenant's keys as its `/apikeys` lists them.
    pub fn api_keys(&self, tenant: i32) -> Vec<Value> {
        let manager = self.host.console();
        let keys =
            manager.tenants.get(&tenant).into_iter().flat_map(|tenant| tenant.api_keys.all());
        keys.map(|key| Value::Object(key.as_ref().clone())).collect()
    }

    /// Removes a tenant's key, as an administrator of that tenant might.
    pub fn delete_api_key(&self, tenant: i32, key: i32) {
        let mut manager = self.host.console();
        if let Some(tenant) = manager.tenants.get_mut(&tenant) {
            tenant.api_keys.remove(key);
        }
        manager.forget_secrets(KeyID { tenant, key });
    }

    /// Makes a key of a tenant from the members of an ApiKey, such as `roleID` and `expiryDate`,
    /// and gives its secret.
    ///
    /// # Panics
    /// If there is no such tenant, or no such role in it.
    pub fn make_api_key(&self, tenant: i32, key: Value) -> String {
        let key = object(key);
        let mut manager = self.host.console();
        let roles = &manager.tenants[&tenant].roles;
        assert!(
            reference(&key, "roleID").is_some_and(|role| roles.get(role).is_some()),
            "a role of the tenant"
        );
        manager.new_key(tenant, key).1
    }
}

fn seeded(manager: &Manager) -> Vec<SeededTenant> {
    let mut tenants: Vec<SeededTenant> = Vec::new();
    for (&id, tenant) in &manager.tenants {
        let secret = manager
            .secrets
            .iter()
            .find(|(_, key)| key.tenant == id)
            .map(|(secret, _)| secret.clone());
        tenants.push(SeededTenant {
            id,
            guid: tenant.guid.clone(),
            name: text(&tenant.object, "name").unwrap_or_default().to_owned(),
            secret_key: secret.unwrap_or_default(),
        });
    }
    tenants
}
