//! The scope that proves a right in a tenant.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::access::Access;
use super::authorizer::Authorizer;
use super::caller::Caller;
use super::presented::TokenRestriction;
use super::request_id::RequestId;
use crate::clock::{MonotonicTime, Timestamp};
use crate::database::{Database, Write};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::roles::Permission;

/// The proof that a caller may act in a tenant. It covers the tenant and all below it.
#[derive(Clone)]
pub struct TenantScope {
    tenant: TenantId,
    caller: Caller,
    restriction: TokenRestriction,
    request_id: RequestId,
    authorizer: Arc<Authorizer>,
}

impl TenantScope {
    /// The scope of a caller who may enter the tenant; whether they may do more there was checked by
    /// [`RequestContext`](super::RequestContext).
    pub(super) fn of_caller(
        caller: Caller,
        restriction: TokenRestriction,
        authorizer: &Arc<Authorizer>,
        tenant: TenantId,
        request_id: RequestId,
    ) -> Self {
        Self { tenant, caller, restriction, request_id, authorizer: authorizer.clone() }
    }

    /// The scope of the local operator: the command line works on the database without a token.
    pub fn operator(authorizer: &Arc<Authorizer>, tenant: TenantId, request_id: RequestId) -> Self {
        let restriction = TokenRestriction::WHOLE;
        Self::of_caller(Caller::Operator, restriction, authorizer, tenant, request_id)
    }

    /// The scope in which the gateway continues work in the background that a caller was allowed to
    /// begin. The work must follow from a record that was made in the caller's own scope.
    pub fn background(
        authorizer: &Arc<Authorizer>,
        tenant: TenantId,
        request_id: RequestId,
    ) -> Self {
        let restriction = TokenRestriction::WHOLE;
        Self::of_caller(Caller::Gateway, restriction, authorizer, tenant, request_id)
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The id of the request.
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.authorizer.now()
    }

    /// The one tenant that the caller's token is narrowed to.
    pub fn narrowed_to(&self) -> Option<TenantId> {
        self.restriction.tenant()
    }

    /// Whether the caller's token allows less than the roles of its client.
    pub fn is_narrowed(&self) -> bool {
        self.restriction != TokenRestriction::WHOLE
    }

    /// The monotonic clock, by which ages on this node are measured.
    pub fn monotonic(&self) -> MonotonicTime {
        self.authorizer.monotonic()
    }

    /// Returns the caller's access in any tenant: none in one that is foreign, disabled, unknown or
    /// outside the token's restriction.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn access_in(&self, tenant: TenantId) -> Result<Arc<Access>> {
        match self.caller.subject() {
            Some(subject) => self.authorizer.access(subject, tenant, self.restriction).await,
            None => Ok(Arc::new(Access::full(tenant))),
        }
    }

    /// The same where it was read moments ago.
    pub fn known_access_in(&self, tenant: TenantId) -> Option<Arc<Access>> {
        match self.caller.subject() {
            Some(subject) => self.authorizer.known_access(subject, tenant, self.restriction),
            None => Some(Arc::new(Access::full(tenant))),
        }
    }

    /// As [`TenantScope::access_in`], for many tenants at once.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn access_in_each(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, Arc<Access>>> {
        match self.caller.subject() {
            Some(subject) => {
                self.authorizer.access_in_each(subject, tenants, self.restriction).await
            }
            None => {
                let full = |tenant: &TenantId| (*tenant, Arc::new(Access::full(*tenant)));
                Ok(tenants.iter().map(full).collect())
            }
        }
    }

    /// Returns the same caller's scope in another tenant where they have the permission too.
    ///
    /// # Errors
    /// `FORBIDDEN`, with one message for tenants that are foreign, disabled or unknown, and for a
    /// missing permission.
    pub async fn within(&self, tenant: TenantId, permission: Permission) -> Result<Self> {
        if !self.access_in(tenant).await?.permits(permission, self.now()) {
            return Err(Error::forbidden(format!(
                "this needs the right to {} in the tenant",
                permission.sentence()
            )));
        }
        Ok(Self { tenant, ..self.clone() })
    }

    /// Whether data read at that moment, under that version, may still be used: see
    /// [`Authorizer::is_fresh`].
    pub fn is_fresh(&self, asked_at: MonotonicTime, version: u64) -> bool {
        self.authorizer.is_fresh(asked_at, version)
    }

    /// The number that changes with every removal of access through this node: see
    /// [`Authorizer::version`].
    pub fn version(&self) -> u64 {
        self.authorizer.version()
    }

    /// Invalidates the cached access of callers. Call it after each commit that takes access away.
    pub fn forget_access(&self) {
        self.authorizer.forget();
    }

    /// Runs a change in one transaction, which is repeated after conflicts, and then invalidates
    /// the cached access of callers.
    ///
    /// # Errors
    /// As [`Database::transaction`].
    pub async fn change<'a, T, W>(
        &self,
        database: &'a Database,
        work: impl Fn(Arc<Write<'a>>) -> W,
    ) -> Result<T>
    where
        W: Future<Output = Result<T>>,
    {
        let changed = database.transaction(work).await?;
        self.forget_access();
        Ok(changed)
    }
}

impl PartialEq for TenantScope {
    fn eq(&self, other: &Self) -> bool {
        (self.tenant, &self.caller, self.restriction)
            == (other.tenant, &other.caller, other.restriction)
    }
}

impl Eq for TenantScope {}

impl Hash for TenantScope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.tenant, &self.caller, self.restriction).hash(state);
    }
}

impl fmt::Debug for TenantScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantScope")
            .field("tenant", &self.tenant)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}
