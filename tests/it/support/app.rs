//! A real gateway behind a real listener, on a fresh database.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tenant_gateway::app::{App, BackgroundJobs, Core, Environment, Listeners};
use tenant_gateway::budget::Budgets;
use tenant_gateway::clock::{Clock, ManualClock, Timestamp};
use tenant_gateway::config::Config;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::graphql::Executor;
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::caller::Gateway;
use super::world::Operator;
use super::{Caller, Credentials, Engine, OnEngine, TestDatabase, World};

/// 2030-01-01T00:00:00Z, the time at which all tests start.
pub const START: Timestamp = Timestamp::from_millis(1_893_456_000_000);

/// Builds a GraphQL schema from the services of a gateway.
pub type GraphOf = fn(&Core) -> Arc<dyn Executor>;

/// A gateway for one test. Its clock stands still until the test advances it.
pub struct TestApp {
    pub gateway: Gateway,
    pub address: SocketAddr,
    pub database: Arc<TestDatabase>,
    pub clock: Arc<ManualClock>,
    pub operator: Operator,
    pub world: World,
    pub background_jobs: BackgroundJobs,
    pub budgets: Arc<Budgets>,
    // Dropping it stops the gateway.
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

impl TestApp {
    /// A gateway with changed settings.
    pub async fn with(engine: Engine, settings: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        Self::build(TestDatabase::fresh(engine).await, clock, None, settings, None).await
    }

    /// A gateway with another GraphQL schema than its own.
    pub async fn before(graph: GraphOf, engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        Self::build(TestDatabase::fresh(engine).await, clock, None, |_| (), Some(graph)).await
    }

    /// The first gateway on this database.
    pub async fn over(database: Arc<TestDatabase>) -> Self {
        Self::build(database, Arc::new(ManualClock::at(START)), None, |_| (), None).await
    }

    /// A second node on the same database, with the same clock.
    pub async fn another_node(&self) -> Self {
        self.another_node_with(|_| ()).await
    }

    /// A second node with changed settings.
    pub async fn another_node_with(&self, settings: impl FnOnce(&mut Config)) -> Self {
        Self::build(self.database.clone(), self.clock.clone(), Some(self.world), settings, None)
            .await
    }

    /// A second node whose clock runs ahead of this one's.
    pub async fn another_node_ahead(
        &self,
        by: Duration,
        settings: impl FnOnce(&mut Config),
    ) -> Self {
        let clock = Arc::new(ManualClock::at(self.now().plus(by)));
        Self::build_at(
            self.database.clone(),
            [clock, self.clock.clone()],
            Some(self.world),
            settings,
            None,
        )
        .await
    }

    /// A second node with its own clock, while the database's clock is that of this node.
    pub async fn another_node_at(&self, clock: Arc<ManualClock>) -> Self {
        let clocks = [clock, self.clock.clone()];
        Self::build_at(self.database.clone(), clocks, Some(self.world), |_| (), None).await
    }

    /// The environment of this node, for another one in the same process.
    pub fn environment(&self) -> Environment {
        environment(&self.clock, &self.clock)
    }

    async fn build(
        database: Arc<TestDatabase>,
        clock: Arc<ManualClock>,
        world: Option<World>,
        settings: impl FnOnce(&mut Config),
        graph: Option<GraphOf>,
    ) -> Self {
        Self::build_at(database, [clock.clone(), clock], world, settings, graph).await
    }

    async fn build_at(
        database: Arc<TestDatabase>,
        [clock, database_clock]: [Arc<ManualClock>; 2],
        world: Option<World>,
        settings: impl FnOnce(&mut Config),
        graph: Option<GraphOf>,
    ) -> Self {
        let mut config = database.config();
        settings(&mut config);
        let public_url = config.server.public_url.clone();
        let listeners = Listeners::bind(&config).await.unwrap();
        let address = listeners.listen;
        let environment = environment(&clock, &database_clock);
        let issuer = listeners.issuer(&config);
        let app = match graph {
            None => App::build(&config, issuer, environment).await,
            Some(graph) => {
                let core = Core::open(&config, environment).await.unwrap();
                let graph = graph(&core);
                App::build_on(core, graph, &config, issuer).await
            }
        };
        let app = app.unwrap();
        let operator = Operator::of(app.core());
        let background_jobs = app.background_jobs();
        let budgets = app.core().budgets.clone();
        let world = match world {
            Some(world) => world,
            None => operator.world().await,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let stop = async {
                stopped.await.ok();
            };
            app.serve(&config, listeners, stop).await.unwrap();
        });
        let gateway = Gateway::at(&format!("http://{address}"), public_url.as_deref());
        let stop = Some(stop);
        let served = Some(served);
        Self {
            gateway,
            address,
            database,
            clock,
            operator,
            world,
            background_jobs,
            budgets,
            stop,
            served,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The time that many seconds from now, as the API writes it.
    pub fn in_seconds(&self, seconds: u64) -> String {
        self.now().plus(Duration::from_secs(seconds)).to_string()
    }

    /// A new client with one role in a tenant.
    pub async fn credentials(&self, tenant: TenantId, role: Role) -> Credentials {
        self.operator.client(tenant, role.name(), &[role]).await
    }

    /// A new client with one role in a tenant, with a token.
    pub async fn caller(&self, tenant: TenantId, role: Role) -> Caller {
        self.gateway.log_in(self.credentials(tenant, role).await).await
    }

    /// A new administrator of a tenant.
    pub async fn administrator(&self, tenant: TenantId) -> Caller {
        self.caller(tenant, Role::Administrator).await
    }

    /// Waits for requests in flight and writes usage counts.
    pub async fn stop(mut self) {
        self.stop.take();
        self.served.take().expect("it was started").await.expect("it stops without an error");
    }
}

fn environment(clock: &Arc<ManualClock>, database_clock: &Arc<ManualClock>) -> Environment {
    Environment {
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        database_clock: Some(database_clock.clone()),
    }
}

impl Deref for TestApp {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.gateway
    }
}

impl OnEngine for TestApp {
    async fn on(engine: Engine) -> Self {
        Self::with(engine, |_| ()).await
    }
}
