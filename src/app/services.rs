//! The services, built on what they share.

use std::sync::Arc;

use crate::audit::Audit;
use crate::auth::Authorizer;
use crate::budget::Budgets;
use crate::clients::{Clients, Limits, Usage};
use crate::clock::Clock;
use crate::config::Config;
use crate::database::Database;
use crate::deep_security::keys::{self, Keys};
use crate::deep_security::{CacheTtl, DeepSecurity};
use crate::device_authorization::{DeviceAuthorizations, DeviceSettings};
use crate::entropy::Entropy;
use crate::integration_server::IntegrationServer;
use crate::integration_server::tasks::Tasks;
use crate::integration_server::tasks::service::PollSettings;
use crate::metrics::Metrics;
use crate::outbound::{AddressPolicy, Outbound, Settings};
use crate::schema::Services;
use crate::seal::MasterKey;
use crate::sessions::{SessionSettings, Sessions};
use crate::single_sign_on::{self, PasswordPolicy, SingleSignOn};
use crate::tenants::{Quotas, Tenants};
use crate::upstreams::Upstreams;
use crate::users::{self, Users};

/// The resources that the services share.
pub struct Base<'a> {
    /// The settings.
    pub config: &'a Config,
    /// The database.
    pub database: Arc<Database>,
    /// The master key.
    pub master: Arc<MasterKey>,
    /// Decides what callers may do.
    pub authorizer: Arc<Authorizer>,
    /// The bounds of the node's memory, work and connections.
    pub budgets: Arc<Budgets>,
    /// The figures of the node.
    pub metrics: Arc<Metrics>,
    /// The use of credentials, written in batches.
    pub usage: Arc<Usage>,
    /// The time that all nodes share.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Base<'_> {
    /// The services.
    pub fn services(&self) -> Services {
        let outbound = self.outbound();
        let upstreams = self.upstreams();
        let audit = Audit::new(
            self.database.clone(),
            self.clock.clone(),
            self.entropy.clone(),
            self.metrics.clone(),
        );
        let audit = Arc::new(audit);
        let users = self.users(&audit);
        Services {
            tenants: self.tenants(),
            clients: self.clients(),
            sessions: self.sessions(&audit, &users),
            devices: self.devices(&audit),
            single_sign_on: self.single_sign_on(&audit, &outbound),
            users,
            audit,
            deep_security: self.deep_security(&upstreams, &outbound),
            integration_server: self.integration_server(&upstreams, &outbound),
            upstreams,
            outbound,
        }
    }

    fn tenants(&self) -> Arc<Tenants> {
        let quotas = Quotas {
            below_partner: self.config.quotas.tenants_below_partner,
            below_tenant: self.config.quotas.tenants_below_tenant,
        };
        Arc::new(Tenants::new(self.database.clone(), self.entropy.clone(), quotas))
    }

    fn clients(&self) -> Arc<Clients> {
        let Config { clients, tokens, quotas, .. } = self.config;
        let limits = Limits {
            grace_period_max: clients.grace_period_max,
            idempotency_retention: clients.idempotency_retention,
            token_lifetime: tokens.lifetime,
            clients_per_tenant: quotas.clients_per_tenant,
            roles_per_client: quotas.roles_per_client,
        };
        let database = self.database.clone();
        Arc::new(Clients::new(database, self.entropy.clone(), self.usage.clone(), limits))
    }

    fn users(&self, audit: &Arc<Audit>) -> Arc<Users> {
        let Config { users, quotas, .. } = self.config;
        let limits = users::Limits {
            link_lifetime: users.link_lifetime,
            users_per_tenant: quotas.users_per_tenant,
            roles_per_user: quotas.roles_per_client,
            failures_per_user: users.failures_per_user,
            failures_per_address: users.failures_per_address,
            hashes_at_once: users.hashes_at_once,
        };
        let foundation = users::Foundation {
            database: self.database.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            master: self.master.clone(),
            authorizer: self.authorizer.clone(),
            audit: audit.clone(),
        };
        let policy = Arc::new(PasswordPolicy::new(self.database.clone()));
        Arc::new(Users::new(foundation, policy, limits))
    }

    fn single_sign_on(&self, audit: &Arc<Audit>, outbound: &Arc<Outbound>) -> Arc<SingleSignOn> {
        let allow_private = self.config.upstream.allow_private_addresses;
        Arc::new(SingleSignOn::new(single_sign_on::Dependencies {
            database: self.database.clone(),
            master: self.master.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            outbound: outbound.clone(),
            policy: AddressPolicy { allow_private },
            audit: audit.clone(),
            users_per_tenant: self.config.quotas.users_per_tenant,
            public_url: self.config.server.public_url.clone(),
        }))
    }

    fn sessions(&self, audit: &Arc<Audit>, users: &Arc<Users>) -> Arc<Sessions> {
        let config = &self.config.sessions;
        let settings = SessionSettings {
            idle_timeout: config.idle_timeout,
            lifetime: config.lifetime,
            per_user: config.per_user,
        };
        let clock = self.clock.clone();
        let entropy = self.entropy.clone();
        let audit = audit.clone();
        let users = users.clone();
        Arc::new(Sessions::new(self.database.clone(), audit, users, clock, entropy, settings))
    }

    fn devices(&self, audit: &Arc<Audit>) -> Arc<DeviceAuthorizations> {
        let config = &self.config.device;
        let settings = DeviceSettings {
            code_lifetime: config.code_lifetime,
            poll_interval: config.poll_interval,
            codes_per_address: config.codes_per_address,
        };
        Arc::new(DeviceAuthorizations::new(
            self.database.clone(),
            audit.clone(),
            self.clock.clone(),
            self.entropy.clone(),
            settings,
        ))
    }

    fn outbound(&self) -> Arc<Outbound> {
        let settings = Settings::new(&self.config.upstream, &self.config.budget);
        Arc::new(Outbound::new(
            settings,
            self.budgets.upstream_answers.clone(),
            self.clock.clone(),
            self.entropy.clone(),
            self.metrics.clone(),
        ))
    }

    fn upstreams(&self) -> Arc<Upstreams> {
        let allow_private = self.config.upstream.allow_private_addresses;
        Arc::new(Upstreams::new(
            self.database.clone(),
            self.master.clone(),
            self.entropy.clone(),
            AddressPolicy { allow_private },
            self.config.auth.cache_size,
        ))
    }

    fn deep_security(
        &self,
        upstreams: &Arc<Upstreams>,
        outbound: &Arc<Outbound>,
    ) -> Arc<DeepSecurity> {
        let settings = keys::KeySettings::from(&self.config.deep_security);
        let keys = keys::Dependencies {
            database: self.database.clone(),
            master: self.master.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            authorizer: self.authorizer.clone(),
            upstreams: upstreams.clone(),
            outbound: outbound.clone(),
        };
        let keys = Keys::new(keys, settings, self.config.auth.cache_size);
        Arc::new(DeepSecurity::new(
            self.database.clone(),
            self.entropy.clone(),
            upstreams.clone(),
            outbound.clone(),
            Arc::new(keys),
            CacheTtl::from(&self.config.deep_security),
        ))
    }

    fn integration_server(
        &self,
        upstreams: &Arc<Upstreams>,
        outbound: &Arc<Outbound>,
    ) -> Arc<IntegrationServer> {
        let poll_settings = PollSettings {
            poll_min: self.config.upstream.task_poll_min,
            poll_max: self.config.upstream.task_poll_max,
            deadline: self.config.upstream.task_deadline,
        };
        let tasks = Tasks::new(
            self.database.clone(),
            upstreams.clone(),
            self.clock.clone(),
            self.entropy.clone(),
            poll_settings,
        );
        Arc::new(IntegrationServer::new(
            self.database.clone(),
            self.entropy.clone(),
            upstreams.clone(),
            outbound.clone(),
            self.authorizer.clone(),
            Arc::new(tasks),
        ))
    }
}
