//! [`App`]: a core with the state of its HTTP endpoints.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;

use super::background_jobs::BackgroundJobs;
use super::core::Core;
use super::environment::Environment;
use super::reload::{Load, Reloader};
use crate::clients::Authenticator;
use crate::config::{AuthConfig, Config, Introspection};
use crate::error::Result;
use crate::graphql::{ExecutableSchema, Executor};
use crate::http::graphql::Metering;
use crate::http::{
    AppState, Cors, DeviceState, Executors, GraphqlState, OauthState, OneTimeSignIn, PagesState,
    PlaygroundCredentials, RateLimits, ReloadReceiver, ReloadTrigger, StreamRegistry, Throttle,
    reload_channel,
};
use crate::passkeys::{self, Passkeys};
use crate::schema;
use crate::secret::PlainSecret;
use crate::single_sign_on::PasswordPolicy;
use crate::telemetry::LogFilter;
use crate::tokens::{Issuer, KeyRing, Verifier};
use crate::users::PublicUrl;

/// The sign-ins at identity providers and with passkeys that one network may begin in a minute: the
/// people of an office share an address.
const SIGN_IN_STARTS: u32 = 120;

/// A gateway that is ready to serve.
pub struct App {
    pub(super) core: Core,
    pub(super) state: Arc<AppState>,
    /// Requests to reload; refused unless [`App::reloader`] takes them.
    reloads: Option<ReloadReceiver>,
}

impl App {
    /// Builds the gateway; its tokens name `issuer`.
    ///
    /// # Errors
    /// As [`Core::open`], and if the signing keys or the trusted documents cannot be read.
    pub async fn build(config: &Config, issuer: String, environment: Environment) -> Result<Self> {
        let core = Core::open(config, environment).await?;
        let introspection = config.graphql.introspection == Introspection::Authenticated;
        let schema = || {
            schema::over(core.services.clone(), introspection)
                .data(Arc::new(PublicUrl(issuer.clone())))
        };
        let executor = |schema| -> Arc<dyn Executor> {
            Arc::new(ExecutableSchema::new(schema).described(schema::DESCRIPTION))
        };
        let executors =
            Executors { short: executor(schema()), long: executor(schema().extension(Metering)) };
        Self::build_on(core, executors, config, issuer).await
    }

    /// Builds the gateway with another GraphQL schema, for tests of features that the gateway's own
    /// schema lacks.
    ///
    /// # Errors
    /// As [`App::build`].
    pub async fn build_on(
        core: Core,
        executors: impl Into<Executors>,
        config: &Config,
        issuer: String,
    ) -> Result<Self> {
        core.finish_master_key(config).await?;
        let keys = KeyRing::open(core.rotation(config), config.auth.access_cache_ttl).await?;
        let (reload, reloads) = reload_channel();
        let state = app_state(&core, Arc::new(keys), executors.into(), config, (issuer, reload))?;
        Ok(Self { core, state: Arc::new(state), reloads: Some(reloads) })
    }

    /// Whether there is no tenant yet, so that nobody could use the gateway.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn is_uninitialised(&self) -> Result<bool> {
        Ok(self.core.tenants.roots().await?.is_empty())
    }

    /// The core behind HTTP.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Reloads the settings of this gateway, which runs by `config`; `load` reads them again.
    /// Without it, requests to reload are refused.
    pub fn reloader(&mut self, config: Config, load: Load, log_filter: LogFilter) -> Reloader {
        let (_, none) = reload_channel();
        let requests = self.reloads.take().unwrap_or(none);
        Reloader::new(self.state.clone(), config, load, log_filter, requests)
    }

    /// Offers credentials to the browser that posts the returned code to the playground, as
    /// [`OneTimeSignIn::offer`] says.
    pub fn offer_sign_in(&self, credentials: PlaygroundCredentials) -> PlainSecret {
        self.state.one_time_sign_in.offer(credentials, &*self.core.environment.entropy)
    }

    /// The background jobs of this gateway, which [`App::serve`] runs.
    pub fn background_jobs(&self) -> BackgroundJobs {
        BackgroundJobs::new(self.core.clone(), self.state.clone())
    }
}

fn app_state(
    core: &Core,
    keys: Arc<KeyRing>,
    executors: Executors,
    config: &Config,
    (issuer, reload): (String, ReloadTrigger),
) -> Result<AppState> {
    let AuthConfig { failures_per_client, failures_per_address, cache_size, .. } = config.auth;
    let throttle = Throttle::new(failures_per_client, failures_per_address, cache_size);
    Ok(AppState {
        services: core.services.clone(),
        graphql: GraphqlState::new(executors, config)?,
        budgets: core.budgets.clone(),
        rate_limits: RateLimits::new(&config.rate_limit),
        cors: ArcSwap::from_pointee(Cors::new(&config.cors.allowed_origins)),
        streams: StreamRegistry::default(),
        verifier: verifier(core, keys.clone(), config),
        issuer: token_issuer(core, keys.clone(), config, issuer.clone()),
        authenticator: Authenticator::new(
            core.database.clone(),
            core.authorizer.clone(),
            core.usage.clone(),
            cache_size,
        ),
        authorizer: core.authorizer.clone(),
        database: core.database.clone(),
        time: core.time.clone(),
        keys,
        metrics: core.metrics.clone(),
        device: DeviceState::new(&config.device, core.budgets.held_requests.clone(), cache_size),
        pages: PagesState::new(&issuer, config.server.public_url.as_deref()),
        passkeys: passkeys(core, &issuer),
        sign_in_starts: Throttle::of_starts(SIGN_IN_STARTS, cache_size),
        oauth: OauthState::new(issuer, config.tokens.jwks_max_age, throttle),
        trusted_proxies: config.server.trusted_proxies.clone(),
        entropy: core.environment.entropy.clone(),
        body_limit: config.server.body_limit,
        body_timeout: config.server.request_timeout,
        write_timeout: config.server.write_timeout,
        playground: config.playground.enabled,
        reload,
        one_time_sign_in: OneTimeSignIn::default(),
        stopping: AtomicBool::new(false),
    })
}

fn passkeys(core: &Core, public_url: &str) -> Passkeys {
    let with = passkeys::Dependencies {
        database: core.database.clone(),
        master: core.master.clone(),
        entropy: core.environment.entropy.clone(),
        clock: core.environment.clock.clone(),
        audit: core.audit.clone(),
        policy: Arc::new(PasswordPolicy::new(core.database.clone())),
    };
    Passkeys::new(with, public_url)
}

fn verifier(core: &Core, keys: Arc<KeyRing>, config: &Config) -> Verifier {
    // Without a public URL every node names its own address as issuer, and each must accept the
    // tokens of all: no issuer is expected then.
    let issuer = config.server.public_url.clone();
    let audience = config.tokens.audience.clone();
    Verifier::new(keys, core.time.clone(), issuer, audience, config.tokens.cache_size)
}

fn token_issuer(core: &Core, keys: Arc<KeyRing>, config: &Config, issuer: String) -> Issuer {
    Issuer::new(
        keys,
        core.time.clone(),
        core.environment.entropy.clone(),
        issuer,
        config.tokens.audience.clone(),
        config.tokens.lifetime,
    )
}
