//! The handle by which tests hold a running server.

use std::io;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::config::{Config, TenantSeed};
use super::control;
use super::dialect::Dialect;
use super::inspection::{FoundReport, FoundTask, FoundTenant};
use super::installation::{Installation, TaskOrder};
use super::seeding::{self, SeededTenant};
use super::task::{Fate, TaskKind};
use super::work::Work;
use crate::calls::Calls;
use crate::faults::{Fault, FaultOrder};
use crate::host::SimulatorHost;
use crate::journal::{Peak, RecordedRequest};
use crate::server::Server;

/// A running server. Dropping it closes its port; answers under way are finished.
///
/// Paths of [`Calls`] are those below `/api/2.0/virtualization`; [`Calls::of`] takes the tenant
/// that a path or `tenantId` names.
pub struct Simulator {
    /// The root, as a client is configured with it: `http://127.0.0.1:<port>`.
    pub base_url: String,
    /// The tenants at the start, in their order.
    pub tenants: Vec<SeededTenant>,
    host: Arc<SimulatorHost<Installation>>,
    server: Server,
}

impl Simulator {
    /// Starts a server with the tenants of `config`.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn start(config: Config) -> io::Result<Self> {
        let mut installation = Installation::new(&config);
        let tenants = seeding::plant_all(&mut installation, &config.tenants);
        let host = SimulatorHost::new(installation, config.clock.clone());
        let router =
            if config.control { control::router(&host, tenants.clone()) } else { host.router() };
        let server = Server::start(config.listen, router).await?;
        Ok(Self { base_url: format!("http://{}", server.address), tenants, host, server })
    }

    /// Stops and waits until the port is closed; answers under way have a second to end.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// A tenant that was there at the start.
    ///
    /// # Panics
    /// If there was none of that name.
    pub fn tenant(&self, name: &str) -> &SeededTenant {
        self.tenants.iter().find(|tenant| tenant.name == name).expect("a seeded tenant")
    }

    /// The password of the account `multitenancy`.
    pub fn password(&self) -> String {
        self.host.console().password.clone()
    }

    /// Gives the account another password, as an operator might.
    pub fn set_password(&self, password: &str) {
        self.host.console().password = password.to_owned();
    }

    /// Orders a fault for the next `times` of these calls.
    pub fn order(&self, calls: Calls, fault: Fault, times: u32) {
        self.host.faults().order(FaultOrder { calls, fault, times: Some(times) });
    }

    /// Orders a fault for these calls until [`Self::clear_orders`].
    pub fn order_always(&self, calls: Calls, fault: Fault) {
        self.host.faults().order(FaultOrder { calls, fault, times: None });
    }

    /// Orders what happens to the next `times` tasks of that type that are started from now on.
    pub fn order_task(&self, kind: TaskKind, fate: Fate, times: u32) {
        self.host.console().orders.push(TaskOrder { kind, fate, times });
    }

    /// Takes all orders back, those for tasks that are not started included.
    pub fn clear_orders(&self) {
        self.host.faults().clear();
        self.host.console().orders.clear();
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

    /// How often a task was asked for.
    pub fn polls(&self, task: &str) -> u64 {
        self.count(&Calls::to("GET", &format!("/tasks/{task}")))
    }

    /// A URL that no correct client calls: the bait of [`Fault::ExternalEntity`] and
    /// [`Fault::Redirect`].
    pub fn bait_url(&self) -> String {
        format!("{}/bait/entity.dtd", self.base_url)
    }

    /// How often the bait was fetched.
    pub fn bait_taken(&self) -> u64 {
        self.count(&Calls::to("*", "/bait/*"))
    }

    /// Advances the clock of this simulator and of all that share it.
    pub fn advance(&self, by: Duration) {
        self.host.clock.advance(by);
    }

    /// Answers by other readings from now on.
    pub fn set_dialect(&self, dialect: Dialect) {
        self.host.console().dialect = dialect;
    }

    /// Sets up the connection to Security Center, or takes it away.
    pub fn set_security_center(&self, configured: bool) {
        self.host.console().security_center.configured = configured;
    }

    /// Creates a tenant outside the gateway; returns its id.
    pub fn add_tenant(&self, seed: &TenantSeed) -> String {
        seeding::plant(&mut self.settled(), seed)
    }

    /// Removes a tenant and its machines outside the gateway; its objects in Security Center stay.
    pub fn remove_tenant(&self, id: &str) {
        self.settled().tenants.retain(|tenant| tenant.id != id);
    }

    /// Starts a task that this API has no method for, such as the deployment of an appliance, and
    /// gives its identifier.
    pub fn add_task(&self, kind: &str) -> String {
        self.settled().start(kind, Work::Other)
    }

    /// The tenants of now.
    pub fn found_tenants(&self) -> Vec<FoundTenant> {
        self.settled().found_tenants()
    }

    /// The tenant of that name, if there is one now.
    pub fn found_tenant(&self, name: &str) -> Option<FoundTenant> {
        self.found_tenants().into_iter().find(|tenant| tenant.name == name)
    }

    /// The tasks of now, the oldest first.
    pub fn found_tasks(&self) -> Vec<FoundTask> {
        self.settled().found_tasks()
    }

    /// The reports that are kept.
    pub fn found_reports(&self) -> Vec<FoundReport> {
        self.settled().found_reports()
    }

    /// Names of the tenants' folders in Security Center.
    pub fn folders(&self) -> Vec<String> {
        self.settled().security_center.folders.iter().cloned().collect()
    }

    /// Names of the administrators of all virtual servers.
    pub fn administrators(&self) -> Vec<String> {
        self.settled().security_center.administrators.iter().cloned().collect()
    }

    /// Every administrator's password that came in, decoded, so that a test can look for it where
    /// it must not be.
    pub fn administrator_passwords(&self) -> Vec<String> {
        self.host.console().passwords.clone()
    }

    /// The state at the present moment.
    fn settled(&self) -> MutexGuard<'_, Installation> {
        let mut installation = self.host.console();
        installation.settle();
        installation
    }
}
