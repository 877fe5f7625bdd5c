//! What a tenant may see and do at its Integration Server.

mod machines;
mod read;
mod start;

use std::future::Future;
use std::sync::Arc;

use uuid::Uuid;

use super::client::{CallError, CallErrorKind, Client};
use super::model::{RemoteId, RemoteTenant};
use super::tasks::Tasks;
use super::tasks::poller::TaskPoller;
use crate::audit::{Attempt, Entry};
use crate::auth::{Authorizer, TenantScope};
use crate::database::Database;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode, Result, UpstreamDetail};
use crate::ids::UpstreamId;
use crate::outbound::{Operation, Outbound};
use crate::upstreams::{Connection, System, Upstreams};

/// The Integration Servers of all tenants.
pub struct IntegrationServer {
    database: Arc<Database>,
    entropy: Arc<dyn Entropy>,
    upstreams: Arc<Upstreams>,
    outbound: Arc<Outbound>,
    poller: Arc<TaskPoller>,
}

/// The tenant of an Integration Server that a gateway tenant is linked to, and the way there: Integration Server.
pub struct LinkedTenant {
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
        let poller = TaskPoller {
            tasks,
            upstreams: upstreams.clone(),
            outbound: outbound.clone(),
            authorizer,
        };
        Self { database, entropy, upstreams, outbound, poller: Arc::new(poller) }
    }

    /// The tasks.
    pub fn tasks(&self) -> &Arc<Tasks> {
        &self.poller.tasks
    }

    /// What goes on with tasks when nobody waits for them.
    pub fn poller(&self) -> &Arc<TaskPoller> {
        &self.poller
    }

    /// Whether the scope's tenant has anything to do with an Integration Server: is linked to one,
    /// or owns one.
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

    /// The linked tenant of the scope's tenant.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if it is not linked to a tenant there.
    pub async fn linked_tenant(&self, scope: &TenantScope) -> Result<LinkedTenant> {
        let connection = self.upstreams.connection(scope, System::IntegrationServer).await?;
        let tenant = connection.remote_tenant_id.as_deref().and_then(RemoteId::read);
        let tenant = tenant.ok_or_else(|| {
            let message = "the tenant's link names no tenant of the Integration Server";
            Error::new(ErrorCode::UpstreamNotLinked, message).of_tenant(scope.tenant())
        })?;
        let client = Client::new(self.outbound.clone(), &connection)?;
        Ok(LinkedTenant { client, tenant, connection })
    }

    /// The way to an installation that the scope's tenant owns itself.
    async fn owned(
        &self,
        scope: &TenantScope,
        upstream: Option<&str>,
    ) -> Result<(Client, Connection)> {
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

    /// Keeps in the link what a read in the tenant's name showed of it.
    async fn note_use<T>(&self, scope: &TenantScope, linked: &LinkedTenant, read: &Result<T>) {
        let exists = match read {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::NotFound => false,
            Err(_) => return,
        };
        self.upstreams.note_use(scope, &linked.connection, exists).await;
    }

    /// Changes something at the server. That it is begun is recorded before, and how it ended
    /// after.
    ///
    /// # Errors
    /// What the change fails with, once that is recorded.
    async fn change<T>(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        change: AuditedChange,
        work: impl Future<Output = Result<T>>,
        described: impl FnOnce(&T) -> serde_json::Value,
    ) -> Result<T> {
        let AuditedChange { name, subject, wanted } = change;
        let after = Some(wanted);
        let entry = Entry {
            operation: name,
            tenant: scope.tenant(),
            subject: subject.clone(),
            before: None,
            after,
        };
        let attempt = Attempt::begin(&self.database, &*self.entropy, scope, entry).await?;
        let worked = work.await;
        let ids = operation.upstream_request_ids();
        match worked {
            Ok(value) => {
                let after = described(&value);
                attempt.succeeded(subject, Some(after), &ids).await.map(|()| value)
            }
            Err(error) => Err(attempt.failed(error, &ids).await),
        }
    }
}

/// A change at the server, for the audit log.
struct AuditedChange {
    /// The name of the mutation.
    name: &'static str,
    /// The id of the object.
    subject: String,
    /// What is wanted. Never a secret.
    wanted: serde_json::Value,
}

impl LinkedTenant {
    /// The installation.
    pub fn upstream(&self) -> UpstreamId {
        self.connection.endpoint.upstream
    }

    /// Where the tenant's machines are unique: the link stands for the tenant at its server.
    pub fn within(&self) -> Uuid {
        self.connection.link.map_or(self.upstream().0, |link| link.0)
    }

    /// The tenant as it is at the server.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is no longer there.
    pub async fn read(&self, operation: &Operation) -> Result<RemoteTenant> {
        self.client.tenant(operation, &self.tenant).await.map_err(|error| self.named(error))
    }

    /// What an error means for the caller: one about the tenant of the link names it.
    fn named(&self, error: CallError) -> Error {
        if error.kind() == CallErrorKind::TenantNotFound {
            no_such_tenant(&self.connection, &self.tenant)
        } else {
            error.into()
        }
    }
}

/// Verifies that an installation has the tenant that a link names: its list says which there are.
///
/// # Errors
/// `NOT_FOUND` or `BAD_USER_INPUT` naming the id if there is no such tenant; as every call.
pub async fn verify_link(
    outbound: Arc<Outbound>,
    operation: &Operation,
    connection: &Connection,
) -> Result<()> {
    let id = connection.remote_tenant_id.as_deref().ok_or_else(|| {
        let must = "must be the id of a tenant of the Integration Server";
        Error::bad_input("remoteTenantID", must)
    })?;
    let id = RemoteId::parse("remoteTenantID", id)?;
    let tenants = Client::new(outbound, connection)?.tenants(operation).await?;
    if tenants.iter().any(|tenant| tenant.id == id) {
        return Ok(());
    }
    Err(no_such_tenant(connection, &id))
}

/// The error of a link that names a tenant which the server does not have.
fn no_such_tenant(connection: &Connection, id: &RemoteId) -> Error {
    let message = format!(
        "the Integration Server has no tenant {}: the link's remoteTenantID is wrong, \
         or the tenant was deleted there",
        id.as_str()
    );
    let detail = UpstreamDetail { system: connection.system.as_str(), status: None, code: None };
    Error::new(ErrorCode::NotFound, message).of_upstream(detail).of_tenant(connection.tenant)
}

/// Asks an installation for its tenants, to see whether it answers.
///
/// # Errors
/// Whatever keeps it from answering.
pub async fn probe(
    outbound: Arc<Outbound>,
    operation: &Operation,
    connection: &Connection,
) -> Result<()> {
    Client::new(outbound, connection)?.tenants(operation).await?;
    Ok(())
}
