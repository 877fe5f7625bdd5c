//! The handle of a running simulated manager.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::config::Config;
use super::control;
use super::dialect::Dialect;
use super::manager::{KeyID, Manager};
use super::object::{object, reference};
use super::seeding::{self, SeededTenant};
use crate::calls::Calls;
use crate::faults::{Fault, FaultOrder};
use crate::host::SimulatorHost;
use crate::journal::{Peak, RecordedRequest};
use crate::server::Server;

/// A running manager. Dropping it closes its port; answers in progress are completed.
pub struct Simulator {
    /// The base URL, as a client is configured with it: `http://127.0.0.1:<port>/api`.
    pub base_url: String,
    /// The tenants at the start: the primary tenant first, then its customers in order.
    pub tenants: Vec<SeededTenant>,
    host: Arc<SimulatorHost<Manager>>,
    server: Server,
}

impl Simulator {
    /// Starts a manager with the tenants of `config`.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn start(config: Config) -> io::Result<Self> {
        let (manager, tenants) = seeding::seed(&config);
        let host = SimulatorHost::new(manager, config.clock.clone());
        let router =
            if config.control { control::router(&host, tenants.clone()) } else { host.router() };
        let server = Server::start(config.listen, router).await?;
        Ok(Self { base_url: format!("http://{}/api", server.address), tenants, host, server })
    }

    /// Closes the port and waits at most a second for the answers in progress.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// The primary tenant.
    pub fn primary(&self) -> &SeededTenant {
        &self.tenants[0]
    }

    /// A customer that existed at the start.
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

    /// Cancels all orders.
    pub fn clear_orders(&self) {
        self.host.faults().clear();
    }

    /// The number of matching calls, including refused and failed ones.
    pub fn count(&self, calls: &Calls) -> u64 {
        self.host.journal().count(calls)
    }

    /// The matching calls among the latest 10,000 calls, in order of arrival.
    pub fn seen(&self, calls: &Calls) -> Vec<RecordedRequest> {
        self.host.journal().seen(calls)
    }

    /// The peak of concurrent requests.
    pub fn peak(&self) -> Peak {
        self.host.journal().peak()
    }

    /// Clears the recorded calls.
    pub fn forget_calls(&self) {
        self.host.journal().clear();
    }

    /// Moves the clock forward, for this simulator and all that share its clock.
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

    /// Switches the dialect; existing ids and secrets do not change.
    pub fn set_dialect(&self, dialect: Dialect) {
        self.host.console().set_dialect(dialect);
    }

    /// A tenant's keys, as `/apikeys` lists them.
    pub fn api_keys(&self, tenant: i32) -> Vec<Value> {
        let manager = self.host.console();
        let keys =
            manager.tenants.get(&tenant).into_iter().flat_map(|tenant| tenant.api_keys.all());
        keys.map(|key| Value::Object(key.as_ref().clone())).collect()
    }

    /// Deletes a tenant's key, like an administrator of that tenant.
    pub fn delete_api_key(&self, tenant: i32, key: i32) {
        let mut manager = self.host.console();
        if let Some(tenant) = manager.tenants.get_mut(&tenant) {
            tenant.api_keys.remove(key);
        }
        manager.forget_secrets(KeyID { tenant, key });
    }

    /// Adds a key to a tenant from the members of an ApiKey, such as `roleID` and `expiryDate`, and
    /// returns its secret.
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
        let now = manager.clock.now();
        manager.new_key(tenant, key, now).1
    }
}
