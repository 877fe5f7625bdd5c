//! The way of a scope to its manager, and the record of what was changed there.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use super::cache_ttl::CacheTtl;
use super::keys::Keys;
use super::manager::{CredentialSource, Manager};
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
use crate::upstreams::{Connection, System, Upstreams};

/// Deep Security, for all tenants.
pub struct DeepSecurity {
    pub(super) outbound: Arc<Outbound>,
    pub(super) keys: Arc<Keys>,
    pub(super) cache_ttl: CacheTtl,
    upstreams: Arc<Upstreams>,
    database: Arc<Database>,
    entropy: Arc<dyn Entropy>,
}

/// A change at a manager, for the audit log.
pub struct AuditedChange {
    /// The name of the mutation.
    pub operation: &'static str,
    /// The vendor's id of the object; empty if it is to be made.
    pub subject: String,
    /// What it is before; nothing if it is to be made.
    pub before: Option<serde_json::Value>,
    /// What is wanted. Never a secret.
    pub wanted: serde_json::Value,
}

/// What a change came to, for the audit log.
pub struct ChangeResult<T> {
    /// What the caller gets.
    pub value: T,
    /// The vendor's id of the object.
    pub subject: String,
    /// What it is now; nothing if it is gone. Never a secret.
    pub after: Option<serde_json::Value>,
}

impl DeepSecurity {
    /// On these rooms.
    pub fn new(
        database: Arc<Database>,
        entropy: Arc<dyn Entropy>,
        upstreams: Arc<Upstreams>,
        outbound: Arc<Outbound>,
        keys: Arc<Keys>,
        cache_ttl: CacheTtl,
    ) -> Self {
        Self { outbound, keys, cache_ttl, upstreams, database, entropy }
    }

    /// The manager of the scope's tenant, as the caller may use it: whoever may change things works
    /// with a key that may everything, whoever only reads with one that only reads.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if the tenant has none.
    pub async fn manager(self: &Arc<Self>, scope: &TenantScope) -> Result<Manager> {
        let connection = self.upstreams.connection(scope, System::DeepSecurity).await?;
        let writes =
            scope.access_in(scope.tenant()).await?.permits(Permission::WriteLegacy, scope.now());
        let credential = match (&connection.remote_tenant_id, writes) {
            (None, _) => CredentialSource::Installation,
            (Some(_), true) => CredentialSource::TenantKey(KeyAccess::Full),
            (Some(_), false) => CredentialSource::TenantKey(KeyAccess::Read),
        };
        Ok(self.manager_by(scope, connection, credential))
    }

    /// The primary manager of an installation that the scope's tenant owns: the one named, else its
    /// only one.
    ///
    /// # Errors
    /// `FORBIDDEN` if the tenant owns none, `NOT_FOUND` for one that it does not own.
    pub async fn owned(
        self: &Arc<Self>,
        scope: &TenantScope,
        upstream: Option<&str>,
    ) -> Result<Manager> {
        let connection = self.upstreams.owned(scope, System::DeepSecurity, upstream).await;
        let connection = connection.map_err(|error| match error.code() {
            ErrorCode::UpstreamNotLinked => {
                Error::forbidden("only the tenant that owns the upstream sees the tenants of it")
                    .of_tenant(scope.tenant())
            }
            _ => error,
        })?;
        Ok(self.manager_by(scope, Arc::new(connection), CredentialSource::Installation))
    }

    fn manager_by(
        self: &Arc<Self>,
        scope: &TenantScope,
        connection: Arc<Connection>,
        credential: CredentialSource,
    ) -> Manager {
        Manager {
            service: self.clone(),
            scope: scope.clone(),
            connection,
            credential,
            cache_ttl: CacheTtl::default(),
        }
    }

    /// Whether the scope's tenant owns an installation.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn owns_one(&self, scope: &TenantScope) -> Result<bool> {
        match self.upstreams.owned(scope, System::DeepSecurity, None).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorCode::Conflict => Ok(true),
            Err(error) if error.code() == ErrorCode::UpstreamNotLinked => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// When the minted keys that are in use for links of the scope end.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn keys_expire_at(
        &self,
        scope: &TenantScope,
        links: &[LinkId],
    ) -> Result<HashMap<LinkId, Timestamp>> {
        // A link is only ever read in a scope; its keys are its own.
        let _ = scope;
        self.keys.expire_at(links).await
    }

    /// Removes the keys that are no longer used.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn clean_up(&self) -> Result<()> {
        self.keys.clean_up().await
    }

    /// Changes something at a tenant's manager. That it is tried is written down before, and what
    /// came of it after: a process that dies in between leaves the first.
    ///
    /// # Errors
    /// What the change fails with, once that is written down.
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
        let worked = work.await;
        self.outbound.invalidate(manager.tenant(), manager.connection.endpoint.upstream);
        let ids = operation.upstream_request_ids();
        match worked {
            Ok(ChangeResult { value, subject, after }) => {
                attempt.succeeded(subject, after, &ids).await.map(|()| value)
            }
            Err(error) => Err(attempt.failed(error, &ids).await),
        }
    }

    /// The links to the managers.
    pub(super) fn upstreams(&self) -> &Upstreams {
        &self.upstreams
    }

    /// Verifies that an installation has the tenant that a link names.
    ///
    /// # Errors
    /// `NOT_FOUND` or `BAD_USER_INPUT` naming the id if there is no such tenant; as every call.
    pub async fn verify_link(
        self: &Arc<Self>,
        scope: &TenantScope,
        connection: Connection,
        operation: &Operation,
    ) -> Result<()> {
        self.manager_by(scope, Arc::new(connection), CredentialSource::Installation)
            .verify_link(operation)
            .await
    }

    /// Asks an installation whether it knows the gateway: which key it is, or for an account of
    /// Cloud One one computer.
    ///
    /// # Errors
    /// `UPSTREAM_UNAUTHORIZED` if it refuses the credential; as every call.
    pub async fn probe(
        self: &Arc<Self>,
        scope: &TenantScope,
        connection: Connection,
        operation: &Operation,
    ) -> Result<()> {
        self.manager_by(scope, Arc::new(connection), CredentialSource::Installation)
            .probe(operation)
            .await
    }
}
