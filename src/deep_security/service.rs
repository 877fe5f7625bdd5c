//! Opens a tenant's manager for a scope, and audits the changes made there.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use super::cache_ttl::CacheTtl;
use super::keys::Keys;
use super::manager::{Backend, CredentialSource, Manager};
use super::model::KeyAccess;
use crate::audit::{Attempt, Entry};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::database::Database;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::LinkId;
use crate::outbound::{Operation, Outbound};
use crate::roles::Permission;
use crate::upstreams::{Connection, LinkRef, System, Upstreams};

/// Deep Security for all tenants.
pub struct DeepSecurity {
    backend: Arc<Backend>,
    database: Arc<Database>,
    entropy: Arc<dyn Entropy>,
}

/// A change at a manager, for the audit log.
pub struct AuditedChange {
    /// The name of the mutation.
    pub operation: &'static str,
    /// The vendor's id of the object; empty if it is created.
    pub subject: String,
    /// The state before the change; absent if the object is created.
    pub before: Option<serde_json::Value>,
    /// The requested change. Never contains a secret.
    pub wanted: serde_json::Value,
}

/// The result of a change, for the caller and the audit log.
pub struct ChangeResult<T> {
    /// The caller's value.
    pub value: T,
    /// The vendor's id of the object.
    pub subject: String,
    /// The state after the change; absent if the object was deleted. Never contains a secret.
    pub after: Option<serde_json::Value>,
}

impl DeepSecurity {
    /// Deep Security on top of these services.
    pub fn new(
        database: Arc<Database>,
        entropy: Arc<dyn Entropy>,
        upstreams: Arc<Upstreams>,
        outbound: Arc<Outbound>,
        keys: Arc<Keys>,
        cache_ttl: CacheTtl,
    ) -> Self {
        let backend = Arc::new(Backend { outbound, keys, upstreams, cache_ttl });
        Self { backend, database, entropy }
    }

    /// The manager of the scope's tenant. A caller who may change legacy resources works with a key
    /// of full access, any other caller with a read-only key.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if the tenant has no manager.
    pub async fn manager(&self, scope: &TenantScope) -> Result<Manager> {
        let connection = self.backend.upstreams.connection(scope, System::DeepSecurity).await?;
        let caller = scope.access_in(scope.tenant()).await?;
        let credential = if connection.remote_tenant_id.is_none() {
            CredentialSource::Installation
        } else if caller.permits(Permission::WriteLegacy, scope.now()) {
            CredentialSource::TenantKey(KeyAccess::Full)
        } else {
            CredentialSource::TenantKey(KeyAccess::Read)
        };
        Ok(self.open(scope, connection, credential))
    }

    /// The primary manager of an installation that the scope's tenant owns: the one named, or its
    /// only one.
    ///
    /// # Errors
    /// `FORBIDDEN` if the tenant owns none, `NOT_FOUND` for an installation that it does not own.
    pub async fn owned(&self, scope: &TenantScope, upstream: Option<&str>) -> Result<Manager> {
        let connection = self.backend.upstreams.owned(scope, System::DeepSecurity, upstream).await;
        let connection = connection.map_err(|error| match error.code() {
            ErrorCode::UpstreamNotLinked => {
                Error::forbidden("only the tenant that owns an upstream can list its tenants")
                    .of_tenant(scope.tenant())
            }
            _ => error,
        })?;
        Ok(self.open(scope, Arc::new(connection), CredentialSource::Installation))
    }

    /// Whether the scope's tenant owns an installation.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn owns_installation(&self, scope: &TenantScope) -> Result<bool> {
        match self.backend.upstreams.owned(scope, System::DeepSecurity, None).await {
            Ok(_) => Ok(true),
            // It owns several.
            Err(error) if error.code() == ErrorCode::Conflict => Ok(true),
            Err(error) if error.code() == ErrorCode::UpstreamNotLinked => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// When the minted keys in use for links expire.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn keys_expire_at(&self, links: &[LinkRef]) -> Result<HashMap<LinkId, Timestamp>> {
        let links: Vec<LinkId> = links.iter().map(|link| link.id()).collect();
        self.backend.keys.expire_at(&links).await
    }

    /// Deletes minted keys that are no longer used.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn clean_up(&self) -> Result<()> {
        self.backend.keys.clean_up().await
    }

    /// Performs a change at a tenant's manager. The attempt is recorded before it and the result
    /// after it, so that a crash in between leaves the attempt in the audit log.
    ///
    /// # Errors
    /// The error of the change, once it is recorded.
    pub async fn change<T>(
        &self,
        manager: &Manager,
        operation: &Operation,
        change: AuditedChange,
        work: impl Future<Output = Result<ChangeResult<T>>>,
    ) -> Result<T> {
        let AuditedChange { operation: name, subject, before, wanted } = change;
        let entry = Entry {
            operation: name,
            tenant: manager.tenant(),
            subject,
            before,
            after: Some(wanted),
        };
        let attempt = Attempt::begin(&self.database, &*self.entropy, &manager.scope, entry).await?;
        let result = work.await;
        let upstream = manager.connection.endpoint.upstream;
        self.backend.outbound.invalidate(manager.tenant(), upstream);
        let ids = operation.upstream_request_ids();
        match result {
            Ok(ChangeResult { value, subject, after }) => {
                attempt.succeeded(subject, after, &ids).await.map(|()| value)
            }
            Err(error) => Err(attempt.failed(error, &ids).await),
        }
    }

    /// Verifies that an installation has the tenant that a link names.
    ///
    /// # Errors
    /// `NOT_FOUND` or `BAD_USER_INPUT` naming the id if there is no such tenant; as
    /// `Manager::send`.
    pub async fn verify_link(
        &self,
        scope: &TenantScope,
        connection: Connection,
        operation: &Operation,
    ) -> Result<()> {
        let credential = CredentialSource::Installation;
        self.open(scope, Arc::new(connection), credential).verify_link(operation).await
    }

    /// Tests whether an installation accepts the gateway's credential.
    ///
    /// # Errors
    /// `UPSTREAM_UNAUTHORIZED` if it refuses the credential; as `Manager::send`.
    pub async fn probe(
        &self,
        scope: &TenantScope,
        connection: Connection,
        operation: &Operation,
    ) -> Result<()> {
        let credential = CredentialSource::Installation;
        self.open(scope, Arc::new(connection), credential).probe(operation).await
    }

    fn open(
        &self,
        scope: &TenantScope,
        connection: Arc<Connection>,
        credential: CredentialSource,
    ) -> Manager {
        Manager::new(self.backend.clone(), scope.clone(), connection, credential)
    }
}
