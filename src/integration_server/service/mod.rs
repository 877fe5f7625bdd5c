//! What a tenant may see and do at its Integration Server.

mod begin;
mod machines;
mod read;

use std::sync::Arc;

use super::client::Client;
use super::model::{RemoteId, RemoteTenant};
use super::tasks::Tasks;
use super::tasks::running::Runner;
use crate::audit::{self, Entry};
use crate::auth::{Authorizer, TenantScope};
use crate::database::Database;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode, Result};
use crate::outbound::{Operation, Outbound};
use crate::upstreams::{Connection, System, Upstreams};

/// The Integration Servers of all tenants.
pub struct IntegrationServer {
    database: Arc<Database>,
    entropy: Arc<dyn Entropy>,
    upstreams: Arc<Upstreams>,
    outbound: Arc<Outbound>,
    runner: Arc<Runner>,
}

/// A tenant's own place at its Integration Server.
pub struct Place {
    /// The way there.
    pub client: Client,
    /// Which tenant it is there.
    pub tenant: RemoteId,
    connection: Arc<Connection>,
}

impl IntegrationServer {
    /// Over these rooms.
    pub fn new(
        database: Arc<Database>,
        entropy: Arc<dyn Entropy>,
        upstreams: Arc<Upstreams>,
        outbound: Arc<Outbound>,
        authorizer: Arc<Authorizer>,
        tasks: Arc<Tasks>,
    ) -> Self {
        let runner = Runner { tasks, upstreams: upstreams.clone(), outbound: outbound.clone(), authorizer };
        Self { database, entropy, upstreams, outbound, runner: Arc::new(runner) }
    }

    /// The tasks.
    pub fn tasks(&self) -> &Arc<Tasks> {
        &self.runner.tasks
    }

    /// What goes on with tasks when nobody waits for them.
    pub fn runner(&self) -> &Arc<Runner> {
        &self.runner
    }

    /// Whether the scope's tenant has anything to do with an Integration Server: is linked to one, or owns one.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if not.
    pub async fn exists(&self, scope: &TenantScope) -> Result<()> {
        match self.upstreams.connection(scope, System::IntegrationServer).await {
            Err(error) if error.code() == ErrorCode::UpstreamNotLinked => {
                match self.upstreams.owned(scope, System::IntegrationServer, None).await {
                    Err(owned) if owned.code() == ErrorCode::UpstreamNotLinked => Err(error),
                    // Several, none of which is named: there are some.
                    Err(owned) if owned.code() == ErrorCode::Conflict => Ok(()),
                    owned => owned.map(drop),
                }
            }
            connection => connection.map(drop),
        }
    }

    /// The place of the scope's tenant.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if it is not linked to a tenant there.
    pub async fn place(&self, scope: &TenantScope) -> Result<Place> {
        let connection = self.upstreams.connection(scope, System::IntegrationServer).await?;
        let tenant = connection.remote_tenant_id.as_deref().and_then(RemoteId::read);
        let tenant = tenant.ok_or_else(|| {
            let message = "the tenant's link names no tenant of the Integration Server";
            Error::new(ErrorCode::UpstreamNotLinked, message).of_tenant(scope.tenant())
        })?;
        let client = Client::new(self.outbound.clone(), &connection)?;
        Ok(Place { client, tenant, connection })
    }

    /// The way to an installation that the scope's tenant owns itself.
    async fn owned(&self, scope: &TenantScope, upstream: Option<&str>) -> Result<(Client, Connection)> {
        let connection = self.upstreams.owned(scope, System::IntegrationServer, upstream).await;
        let connection = connection.map_err(|error| match error.code() {
            ErrorCode::UpstreamNotLinked => {
                Error::forbidden("only the tenant that owns the upstream sees the tenants of it")
                    .of_tenant(scope.tenant())
            }
            _ => error,
        })?;
        Ok((Client::new(self.outbound.clone(), &connection)?, connection))
    }

    /// Records what is about to be done, before it is: whether it was done may not be known later.
    async fn record(
        &self,
        scope: &TenantScope,
        operation: &'static str,
        subject: String,
        what: serde_json::Value,
    ) -> Result<()> {
        let write = self.database.write().await?;
        let entry = Entry { operation, tenant: scope.tenant(), subject, before: None, after: Some(what) };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        write.commit().await
    }
}

impl Place {
    /// The tenant as it is at the server.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is no longer there.
    pub async fn read(&self, operation: &Operation) -> Result<RemoteTenant> {
        Ok(self.client.tenant(operation, &self.tenant).await?)
    }
}

/// Asks an installation for its tenants, to see whether it answers.
///
/// # Errors
/// Whatever keeps it from answering.
pub async fn probe(outbound: Arc<Outbound>, operation: &Operation, connection: &Connection) -> Result<()> {
    Client::new(outbound, connection)?.tenants(operation).await?;
    Ok(())
}
