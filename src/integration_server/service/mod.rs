//! Reads and changes of a tenant at its Integration Server.

mod cancel;
mod machines;
mod read;
mod start;

use std::future::Future;
use std::sync::Arc;

use uuid::Uuid;

use super::client::{CallError, CallErrorKind, Client};
use super::model::{RemoteId, RemoteTenant};
use super::tasks::poller::TaskPoller;
use super::tasks::session::TaskSession;
use super::tasks::{TaskRecord, Tasks};
use crate::audit::{Attempt, Entry};
use crate::auth::{Authorizer, TenantScope};
use crate::database::Database;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode, Result, UpstreamDetail};
use crate::ids::UpstreamId;
use crate::outbound::{Operation, Outbound};
use crate::upstreams::{Connection, System, Upstreams};

pub use read::WantedPage;

/// The Integration Servers of all tenants.
pub struct IntegrationServer {
    database: Arc<Database>,
    entropy: Arc<dyn Entropy>,
    upstreams: Arc<Upstreams>,
    outbound: Arc<Outbound>,
    authorizer: Arc<Authorizer>,
    tasks: Arc<Tasks>,
}

/// The tenant of an Integration Server that a gateway tenant is linked to, with a client for it.
pub struct LinkedTenant {
    /// A client for the server.
    pub client: Client,
    /// The tenant's identifier at the server.
    pub tenant: RemoteId,
    connection: Arc<Connection>,
}

impl IntegrationServer {
    /// A service that uses these others.
    pub fn new(
        database: Arc<Database>,
        entropy: Arc<dyn Entropy>,
        upstreams: Arc<Upstreams>,
        outbound: Arc<Outbound>,
        authorizer: Arc<Authorizer>,
        tasks: Arc<Tasks>,
    ) -> Self {
        Self { database, entropy, upstreams, outbound, authorizer, tasks }
    }

    /// The records of tasks.
    pub fn tasks(&self) -> &Arc<Tasks> {
        &self.tasks
    }

    /// The background job that follows the tasks of this node.
    pub fn poller(&self) -> Arc<TaskPoller> {
        Arc::new(TaskPoller {
            tasks: self.tasks.clone(),
            upstreams: self.upstreams.clone(),
            outbound: self.outbound.clone(),
            authorizer: self.authorizer.clone(),
        })
    }

    fn session<'a>(
        &'a self,
        client: &'a Client,
        operation: &'a Operation,
        record: &'a TaskRecord,
    ) -> TaskSession<'a> {
        TaskSession { tasks: &self.tasks, authorizer: &self.authorizer, client, operation, record }
    }

    /// Checks that the scope's tenant is linked to an Integration Server or owns one.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if not.
    pub async fn exists(&self, scope: &TenantScope) -> Result<()> {
        match self.upstreams.connection(scope, System::IntegrationServer).await {
            Err(error) if error.code() == ErrorCode::UpstreamNotLinked => {
                match self.upstreams.owned(scope, System::IntegrationServer, None).await {
                    Err(owned) if owned.code() == ErrorCode::UpstreamNotLinked => Err(error),
                    // A conflict means that the tenant owns several.
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

    /// A client for an installation that the scope's tenant owns itself.
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

    /// Records in the link what a read for the tenant showed about it.
    async fn note_use<T>(&self, scope: &TenantScope, linked: &LinkedTenant, read: &Result<T>) {
        let exists = match read {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::NotFound => false,
            Err(_) => return,
        };
        self.upstreams.note_use(scope, &linked.connection, exists).await;
    }

    /// Changes something at the server. The audit log records the attempt before and the outcome
    /// after.
    ///
    /// # Errors
    /// The error of the change, after the audit log has recorded it.
    async fn change<T>(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        change: AuditedChange,
        work: impl Future<Output = Result<T>>,
        described: impl FnOnce(&T) -> serde_json::Value,
    ) -> Result<T> {
        let AuditedChange { name, subject, wanted } = change;
        let entry = Entry {
            operation: name,
            tenant: scope.tenant(),
            subject: subject.clone(),
            before: None,
            after: Some(wanted),
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
    /// The requested state, without secrets.
    wanted: serde_json::Value,
}

impl LinkedTenant {
    /// The installation.
    pub fn upstream(&self) -> UpstreamId {
        self.connection.endpoint.upstream
    }

    /// The scope in which machine ids are unique: the link, or the installation without one.
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

    /// Turns an error of a call into one for the caller; an error about the link's tenant names it.
    fn named(&self, error: CallError) -> Error {
        let is_unknown = error.kind() == CallErrorKind::TenantNotFound;
        let error = Error::from(error);
        match error.upstream() {
            Some(detail) if is_unknown => {
                no_such_tenant(&self.connection, &self.tenant).of_upstream(detail.clone())
            }
            _ => error,
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

/// Checks that an installation answers, by listing its tenants.
///
/// # Errors
/// If it does not answer with a list of tenants.
pub async fn probe(
    outbound: Arc<Outbound>,
    operation: &Operation,
    connection: &Connection,
) -> Result<()> {
    Client::new(outbound, connection)?.tenants(operation).await?;
    Ok(())
}
