//! The composition root: the only file that knows every room.

mod background_jobs;
mod backup;
mod data_folder;
mod link_checks;
mod master_key;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::audit::Audit;
use crate::auth::{Authorizer, RequestId, TenantScope};
use crate::budget::{Budgets, descriptors};
use crate::clients::{Authenticator, Clients, Created, Limits, NewClient, Usage};
use crate::clock::{Clock, SystemClock};
use crate::config::{AdminConfig, AuthConfig, Config, Introspection, TokenAlgorithm};
use crate::database::{AdvisoryLock, Database, Write};
use crate::database_time::DatabaseTime;
use crate::deep_security::keys::{self, Keys};
use crate::deep_security::{CacheTtl, DeepSecurity};
use crate::entropy::{Entropy, SystemEntropy};
use crate::error::{Error, Result};
use crate::graphql::{ExecutableSchema, Executor};
use crate::http::graphql::Metering;
use crate::http::{
    self, AppState, Cors, GraphqlState, OauthState, RateLimits, StreamRegistry, Throttle,
};
use crate::ids::{ClientId, TenantId, random_uuid};
use crate::integration_server::IntegrationServer;
use crate::integration_server::tasks::Tasks;
use crate::integration_server::tasks::service::PollSettings;
use crate::metrics::Metrics;
use crate::names::Name;
use crate::outbound::{AddressPolicy, Outbound, Settings};
use crate::roles::Role;
use crate::schema::{self, Services};
use crate::seal::MasterKey;
use crate::tenants::{Quotas, Tenant, Tenants};
use crate::tokens::{Algorithm, Issuer, KeyRing, Rotation, Schedule, Verifier};
use crate::upstreams::Upstreams;

pub use self::background_jobs::BackgroundJobs;
pub use self::backup::{Contents, check_backup, restore};
pub use self::data_folder::{connect, lock_for_serving, require_database};

/// How long the end of a process waits for the database to be closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a process takes from outside besides its settings.
#[derive(Clone)]
pub struct Environment {
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// What tells the database's time in place of the database, so that tests can move it.
    pub database_clock: Option<Arc<dyn Clock>>,
}

impl Default for Environment {
    /// Those of a real machine.
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            database_clock: None,
        }
    }
}

/// The rooms that work without a listener: what the command line needs.
#[derive(Clone)]
pub struct Core {
    /// The database.
    pub database: Arc<Database>,
    /// The key that seals.
    pub master: Arc<MasterKey>,
    /// What callers may do.
    pub authorizer: Arc<Authorizer>,
    /// The tenants.
    pub tenants: Arc<Tenants>,
    /// The clients.
    pub clients: Arc<Clients>,
    /// The audit log.
    pub audit: Arc<Audit>,
    /// The installations of legacy systems.
    pub upstreams: Arc<Upstreams>,
    /// The way out to the legacy systems.
    pub outbound: Arc<Outbound>,
    /// Deep Security.
    pub deep_security: Arc<DeepSecurity>,
    /// The Integration Servers.
    pub integration_server: Arc<IntegrationServer>,
    /// What this node may hold and do at once.
    pub budgets: Arc<Budgets>,
    /// The figures of this node.
    pub metrics: Arc<Metrics>,
    /// The time that all nodes share.
    pub time: Arc<DatabaseTime>,
    /// Clock and randomness; the clock is [`Core::time`].
    pub environment: Environment,
    usage: Arc<Usage>,
}

/// A gateway that is ready to serve.
pub struct App {
    core: Core,
    state: Arc<AppState>,
}

impl Core {
    /// Opens the database and builds the rooms on it. An embedded database is brought up to date;
    /// on PostgreSQL, which other nodes may be using, that is left to `migrate up`.
    ///
    /// # Errors
    /// If the database cannot be reached, or its schema is not the one of this version.
    pub async fn open(config: &Config, environment: Environment) -> Result<Self> {
        let (database, alone) = connect(config).await?;
        if database.is_sqlite() {
            database.migrate().await?;
        }
        require_current(&database).await?;
        let master = master_key::master_key(config, &database, &*environment.entropy).await?;
        drop(alone);
        let database = Arc::new(database);
        let Environment { clock, entropy, database_clock } = environment;
        let time = Arc::new(
            DatabaseTime::measured(database.clone(), clock, database_clock.clone()).await?,
        );
        let clock: Arc<dyn Clock> = time.clone();
        let environment =
            Environment { clock: clock.clone(), entropy: entropy.clone(), database_clock };
        let (age, capacity) = (config.auth.access_cache_ttl, config.auth.cache_size);
        let usage = Arc::new(Usage::new(database.clone()));
        let limits = Limits {
            grace_period_max: config.clients.grace_period_max,
            idempotency_retention: config.clients.idempotency_retention,
            token_lifetime: config.tokens.lifetime,
            clients_per_tenant: config.quotas.clients_per_tenant,
            roles_per_client: config.quotas.roles_per_client,
        };
        let quotas = Quotas {
            below_partner: config.quotas.tenants_below_partner,
            below_tenant: config.quotas.tenants_below_tenant,
        };
        let master = Arc::new(master);
        let budgets = Arc::new(Budgets::new(config));
        let metrics = Arc::new(Metrics::new(config.metrics.by_tenant, clock.now()));
        let policy = AddressPolicy { allow_private: config.upstream.allow_private_addresses };
        let outbound = Arc::new(Outbound::new(
            Settings {
                answer_patience: config.budget.patience,
                ..Settings::from(&config.upstream)
            },
            budgets.upstream_answers.clone(),
            clock.clone(),
            entropy.clone(),
            metrics.clone(),
        ));
        let upstreams =
            Upstreams::new(database.clone(), master.clone(), entropy.clone(), policy, capacity);
        let upstreams = Arc::new(upstreams);
        let authorizer = Arc::new(Authorizer::new(database.clone(), clock.clone(), age, capacity));
        let keys = keys::Dependencies {
            database: database.clone(),
            master: master.clone(),
            entropy: entropy.clone(),
            clock: clock.clone(),
            authorizer: authorizer.clone(),
            upstreams: upstreams.clone(),
            outbound: outbound.clone(),
        };
        let keys = Arc::new(Keys::new(keys, keys::Settings::from(&config.deep_security), capacity));
        let (ways, way_out) = (upstreams.clone(), outbound.clone());
        let cache_ttl = CacheTtl::from(&config.deep_security);
        let poll_settings = PollSettings {
            poll_min: config.upstream.task_poll_min,
            poll_max: config.upstream.task_poll_max,
            deadline: config.upstream.task_deadline,
        };
        let tasks = Tasks::new(
            database.clone(),
            upstreams.clone(),
            clock.clone(),
            entropy.clone(),
            poll_settings,
        );
        Ok(Self {
            deep_security: Arc::new(DeepSecurity::new(
                database.clone(),
                entropy.clone(),
                ways,
                way_out,
                keys,
                cache_ttl,
            )),
            integration_server: Arc::new(IntegrationServer::new(
                database.clone(),
                entropy.clone(),
                upstreams.clone(),
                outbound.clone(),
                authorizer.clone(),
                Arc::new(tasks),
            )),
            upstreams,
            outbound,
            authorizer,
            tenants: Arc::new(Tenants::new(database.clone(), entropy.clone(), quotas)),
            clients: Arc::new(Clients::new(
                database.clone(),
                entropy.clone(),
                usage.clone(),
                limits,
            )),
            audit: Arc::new(Audit::new(database.clone(), clock, entropy)),
            master,
            database,
            budgets,
            metrics,
            time,
            environment,
            usage,
        })
    }

    /// Ends the connections to the database; an embedded one is then complete in its one file.
    /// Waits for what still runs, but not for long.
    pub async fn close(&self) {
        match tokio::time::timeout(CLOSE_TIMEOUT, self.database.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error.log_cause(),
            Err(_) => tracing::warn!("the database is still in use and was not closed"),
        }
    }

    /// What the resolvers work with.
    pub fn services(&self) -> Services {
        Services {
            tenants: self.tenants.clone(),
            clients: self.clients.clone(),
            audit: self.audit.clone(),
            upstreams: self.upstreams.clone(),
            outbound: self.outbound.clone(),
            deep_security: self.deep_security.clone(),
            integration_server: self.integration_server.clone(),
        }
    }

    /// Writes the failed authentications that wait into the audit log.
    ///
    /// # Errors
    /// If the database refuses; they wait on.
    pub async fn write_failures(&self) -> Result<()> {
        if !self.audit.has_failures() {
            return Ok(());
        }
        let roots = self.tenants.roots().await?;
        self.audit.write_failures(roots.first().map(|root| root.id)).await
    }

    /// What makes signing keys by these settings.
    pub fn rotation(&self, config: &Config) -> Rotation {
        let Environment { clock, entropy, .. } = self.environment.clone();
        let algorithm = match config.tokens.algorithm {
            TokenAlgorithm::EdDsa => Algorithm::EdDsa,
            TokenAlgorithm::Ed25519 => Algorithm::Ed25519,
            TokenAlgorithm::Es256 => Algorithm::Es256,
            TokenAlgorithm::Rs256 => Algorithm::Rs256,
        };
        let schedule = Schedule {
            token_lifetime: config.tokens.lifetime,
            key_lifetime: config.tokens.key_lifetime,
            jwks_max_age: config.tokens.jwks_max_age,
        };
        Rotation::new(
            self.database.clone(),
            self.master.clone(),
            clock,
            entropy,
            algorithm,
            schedule,
        )
    }
}

impl Core {
    /// The scope of the person at the command line.
    pub fn operator(&self, tenant: TenantId) -> TenantScope {
        let request_id = RequestId::from(random_uuid(&*self.environment.entropy));
        TenantScope::operator(&self.authorizer, tenant, request_id)
    }

    /// Makes the first tenant, a partner, and its administrator client: both or neither.
    ///
    /// # Errors
    /// `CONFLICT` if there is a tenant already.
    pub async fn init(&self, tenant: Name, client: Name) -> Result<(Tenant, Created)> {
        let new = NewClient {
            name: client,
            roles: vec![Role::Administrator],
            owner: None,
            idempotency_key: None,
        };
        self.database.transaction(|write| self.init_in(write, tenant.clone(), &new)).await
    }

    async fn init_in(
        &self,
        write: Arc<Write<'_>>,
        tenant: Name,
        client: &NewClient,
    ) -> Result<(Tenant, Created)> {
        write.lock(AdvisoryLock::FirstTenant).await?;
        let now = self.environment.clock.now();
        let tenant = self.tenants.create_first(write.on(), now, tenant).await?;
        let id = ClientId::random(&*self.environment.entropy);
        let scope = self.operator(tenant.id);
        let created = self.clients.create_in(&write, &scope, id, client).await?;
        Ok((tenant, created))
    }
}

impl App {
    /// Builds the whole gateway; tokens will name `issuer`.
    ///
    /// # Errors
    /// As [`Core::open`], and if the signing keys or the trusted documents cannot be opened.
    pub async fn build(config: &Config, issuer: String, environment: Environment) -> Result<Self> {
        let core = Core::open(config, environment).await?;
        let (services, introspection) =
            (core.services(), config.graphql.introspection == Introspection::Authenticated);
        let graph =
            ExecutableSchema::new(schema::over(services, introspection).extension(Metering))
                .described(schema::DESCRIPTION);
        Self::build_on(core, Arc::new(graph), config, issuer).await
    }

    /// The same with another graph, so that tests can try what the gateway's own graph does not
    /// have.
    ///
    /// # Errors
    /// As [`App::build`].
    pub async fn build_on(
        core: Core,
        graph: Arc<dyn Executor>,
        config: &Config,
        issuer: String,
    ) -> Result<Self> {
        let (time, entropy) = (core.time.clone(), core.environment.entropy.clone());
        core.finish_master_key(config).await?;
        let keys =
            Arc::new(KeyRing::open(core.rotation(config), config.auth.access_cache_ttl).await?);
        let audience = config.tokens.audience.clone();
        // Without a public URL each node names its own address, and a token of any node must serve
        // at all.
        let expected = config.server.public_url.clone();
        let (authorizer, usage) = (core.authorizer.clone(), core.usage.clone());
        let AuthConfig { failures_per_client, failures_per_address, cache_size, .. } = config.auth;
        let throttle = Throttle::new(failures_per_client, failures_per_address, cache_size);
        let state = AppState {
            graphql: GraphqlState::new(graph, config)?,
            budgets: core.budgets.clone(),
            rate_limits: RateLimits::new(&config.rate_limit),
            cors: Cors::new(&config.cors.allowed_origins),
            streams: StreamRegistry::default(),
            verifier: Verifier::new(
                keys.clone(),
                time.clone(),
                expected,
                audience.clone(),
                config.tokens.cache_size,
            ),
            issuer: Issuer::new(
                keys.clone(),
                time.clone(),
                entropy.clone(),
                issuer.clone(),
                audience,
                config.tokens.lifetime,
            ),
            authenticator: Authenticator::new(
                core.database.clone(),
                authorizer.clone(),
                usage,
                config.auth.cache_size,
            ),
            authorizer,
            audit: core.audit.clone(),
            database: core.database.clone(),
            time,
            keys,
            tenants: core.tenants.clone(),
            oauth: OauthState::new(issuer, config.tokens.jwks_max_age, throttle),
            trusted_proxies: config.server.trusted_proxies.clone(),
            metrics: core.metrics.clone(),
            outbound: core.outbound.clone(),
            entropy,
            body_limit: config.server.body_limit,
            body_timeout: config.server.request_timeout,
            write_timeout: config.server.write_timeout,
            playground: config.playground.enabled,
            stopping: AtomicBool::new(false),
        };
        Ok(Self { core, state: Arc::new(state) })
    }

    /// Whether nothing was made yet that anybody could use.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn is_uninitialised(&self) -> Result<bool> {
        Ok(self.core.tenants.roots().await?.is_empty())
    }

    /// The rooms behind HTTP.
    pub fn core(&self) -> &Core {
        &self.core
    }
}

/// The listeners of a process, bound and not yet served.
pub struct Listeners {
    public: TcpListener,
    admin: Option<TcpListener>,
    /// The address of the public one.
    pub listen: SocketAddr,
}

impl Listeners {
    /// Binds the addresses of the settings and logs those in use, before anything else is logged.
    ///
    /// # Errors
    /// If an address is taken. The default address of the admin listener is no reason to fail:
    /// without it the gateway runs all the same.
    pub async fn bind(config: &Config) -> Result<Self> {
        let public = bind(config.server.listen).await?;
        let listen = public.local_addr().map_err(Error::internal)?;
        let mut busy = false;
        let admin = match config.admin.listen {
            None => None,
            Some(address) => match bind(address).await {
                Ok(listener) => Some(listener),
                Err(_) if config.admin.listen == AdminConfig::default().listen => {
                    busy = true;
                    None
                }
                Err(error) => return Err(error),
            },
        };
        let admin_address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        let admin_text =
            admin_address.map_or_else(|| "off".to_owned(), |address| address.to_string());
        tracing::info!(listen = %listen, admin = admin_text, "listening");
        descriptors::raise();
        if busy {
            tracing::warn!("the default admin address is taken: there is no admin listener");
        }
        Ok(Self { public, admin, listen })
    }

    /// The URL that tokens name as their issuer: the public one, else the address.
    pub fn issuer(&self, config: &Config) -> String {
        config.server.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }
}

impl App {
    /// Serves until `stop` is done, then lets requests in flight end for `grace`.
    ///
    /// # Errors
    /// If what is to be written down at the end cannot be.
    pub async fn serve(
        self,
        config: &Config,
        listeners: Listeners,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        let connections = self.core.budgets.connections.figures().limit;
        if connections < config.budget.connections {
            tracing::warn!(
                connections,
                "the limit of open files allows fewer connections than budget.connections"
            );
        }
        let (stopping, stopped) = watch::channel(false);
        let flusher = tokio::spawn(flush_usage(
            self.core.usage.clone(),
            config.clients.usage_flush,
            stopped.clone(),
        ));
        let (audit_retention, database_time) = (config.audit.retention, self.core.time.clone());
        let background_jobs =
            tokio::spawn(self.background_jobs().run(audit_retention, stopped.clone()));
        let failures = tokio::spawn(self.background_jobs().run_failure_writer(stopped.clone()));
        let timekeeper = {
            let stopped = stopped.clone();
            tokio::spawn(async move { database_time.keep_synchronized(stopped).await })
        };
        let sweeper = tokio::spawn(self.background_jobs().run_cleanup(stopped.clone()));
        let checker = tokio::spawn(self.background_jobs().run_link_checks(stopped.clone()));
        let poller = tokio::spawn(self.core.integration_server.poller().run(stopped.clone()));
        let draining = self.state.clone();
        let shutdown_delay = config.server.shutdown_delay;
        tokio::spawn(async move {
            stop.await;
            draining.stopping.store(true, Ordering::SeqCst);
            tokio::time::sleep(shutdown_delay).await;
            tracing::info!("stopping");
            stopping.send_replace(true);
        });
        let public = http::serve_public(listeners.public, self.state.clone(), stopped.clone());
        let admin = async {
            if let Some(listener) = listeners.admin {
                http::serve_admin(listener, self.state.clone(), stopped.clone()).await;
            }
        };
        let streams = async {
            wait(stopped.clone()).await;
            self.state.streams.shutdown().await;
        };
        let drained = async { tokio::join!(public, admin, streams) };
        let cut_off = async {
            wait(stopped.clone()).await;
            tokio::time::sleep(config.server.shutdown_grace).await;
        };
        tokio::select! {
            _ = drained => {}
            () = cut_off => tracing::warn!("requests were still running when the time to drain was over"),
        }
        flusher.abort();
        background_jobs.abort();
        failures.abort();
        timekeeper.abort();
        sweeper.abort();
        checker.abort();
        // It ends by itself once it has left its tasks to other nodes.
        poller.await.map_err(Error::internal)?;
        self.core.write_failures().await?;
        self.core.usage.flush().await
    }
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    // The sender lives as long as the process serves; if it is gone, that too is the end.
    stopped.wait_for(|stopped| *stopped).await.ok();
}

async fn flush_usage(usage: Arc<Usage>, every: Duration, stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(every);
    while !*stopped.borrow() {
        ticks.tick().await;
        if let Err(error) = usage.flush().await {
            error.log_cause();
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Error::internal(format!("cannot listen on {address}: {error}")))
}

async fn require_current(database: &Database) -> Result<()> {
    let schema = database.schema().await?;
    schema.require_compatible()?;
    let pending = schema.pending();
    match pending {
        0 => Ok(()),
        _ => Err(Error::internal(format!(
            "the database's schema is {pending} changes behind: run `tenant-gateway migrate up` with the same settings"
        ))),
    }
}
