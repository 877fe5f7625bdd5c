//! [`Core`]: everything but the listeners, as the command line needs it.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::environment::Environment;
use crate::auth::{Authorizer, RequestId, TenantScope};
use crate::budget::Budgets;
use crate::clients::{Created, NewClient, Usage};
use crate::config::{Config, TokenAlgorithm};
use crate::database::{AdvisoryLock, Database, Write};
use crate::database_time::DatabaseTime;
use crate::error::Result;
use crate::ids::{ClientId, TenantId, UserId, random_uuid};
use crate::metrics::Metrics;
use crate::names::Name;
use crate::roles::Role;
use crate::schema::Services;
use crate::seal::MasterKey;
use crate::tenants::Tenant;
use crate::tokens::{Algorithm, Rotation, Schedule};
use crate::users::{Invited, NewUser};

/// How long [`Core::close`] waits for the database.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The services and their environment. The services are public fields, such as `core.tenants`.
#[derive(Clone)]
pub struct Core {
    /// The services that resolvers work with.
    pub services: Services,
    /// The database.
    pub database: Arc<Database>,
    /// The key that seals secrets.
    pub master: Arc<MasterKey>,
    /// Decides what callers may do.
    pub authorizer: Arc<Authorizer>,
    /// The limits of what this node holds and does at the same time.
    pub budgets: Arc<Budgets>,
    /// The figures of this node.
    pub metrics: Arc<Metrics>,
    /// The time that all nodes share.
    pub time: Arc<DatabaseTime>,
    /// Clock and randomness; the clock is [`Core::time`].
    pub environment: Environment,
    pub(super) usage: Arc<Usage>,
}

impl Deref for Core {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Core {
    /// Closes the connections to the database; an embedded database is then complete in its one
    /// file. Waits a few seconds for statements that still run.
    pub async fn close(&self) {
        match tokio::time::timeout(CLOSE_TIMEOUT, self.database.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error.log_cause(),
            Err(_) => tracing::warn!("database still in use at exit; connections not closed"),
        }
    }

    /// Writes the queued failed authentications into the audit log.
    ///
    /// # Errors
    /// If the database fails; they stay queued.
    pub async fn write_failures(&self) -> Result<()> {
        if !self.audit.has_failures() {
            return Ok(());
        }
        let roots = self.tenants.roots().await?;
        self.audit.write_failures(roots.first().map(|root| root.id)).await
    }

    /// The rotation of signing keys by these settings.
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
        let database = self.database.clone();
        Rotation::new(database, self.master.clone(), clock, entropy, algorithm, schedule)
    }

    /// The scope of the operator at the command line.
    pub fn operator(&self, tenant: TenantId) -> TenantScope {
        let request_id = RequestId::from(random_uuid(&*self.environment.entropy));
        TenantScope::operator(&self.authorizer, tenant, request_id)
    }

    /// Creates the first tenant, a partner, and its administrator client in one transaction.
    ///
    /// # Errors
    /// `CONFLICT` if a tenant exists already.
    pub async fn init(&self, tenant: Name, client: Name) -> Result<(Tenant, Created)> {
        let new = NewClient {
            name: client,
            roles: vec![Role::Administrator],
            owner: None,
            idempotency_key: None,
        };
        let init = |write| self.init_in(write, tenant.clone(), &new, None);
        let (tenant, created, _) = self.database.transaction(init).await?;
        Ok((tenant, created))
    }

    /// As [`Core::init`], and invites the first person in the same transaction, an administrator
    /// too.
    ///
    /// # Errors
    /// As [`Core::init`].
    pub async fn init_with_person(
        &self,
        tenant: Name,
        client: Name,
        person: NewUser,
    ) -> Result<(Tenant, Created, Option<Invited>)> {
        let new = NewClient {
            name: client,
            roles: vec![Role::Administrator],
            owner: None,
            idempotency_key: None,
        };
        let init = |write| self.init_in(write, tenant.clone(), &new, Some(&person));
        self.database.transaction(init).await
    }

    async fn init_in(
        &self,
        write: Arc<Write<'_>>,
        tenant: Name,
        client: &NewClient,
        person: Option<&NewUser>,
    ) -> Result<(Tenant, Created, Option<Invited>)> {
        write.lock(AdvisoryLock::FirstTenant).await?;
        let now = self.environment.clock.now();
        let tenant = self.tenants.create_first(write.on(), now, tenant).await?;
        let id = ClientId::random(&*self.environment.entropy);
        let scope = self.operator(tenant.id);
        let created = self.clients.create_in(&write, &scope, id, client).await?;
        let invited = match person {
            Some(person) => {
                let id = UserId::random(&*self.environment.entropy);
                Some(self.users.invite_in(&write, &scope, id, person).await?)
            }
            None => None,
        };
        Ok((tenant, created, invited))
    }
}
