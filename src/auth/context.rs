//! The context of a request, and the scope that proves a right in a tenant.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::access::Access;
use super::authorizer::Authorizer;
use super::caller::Caller;
use super::presented::Presented;
use super::request_id::RequestId;
use super::tenant_header::TenantHeader;
use super::token_restriction::TokenRestriction;
use crate::clock::{MonotonicTime, Timestamp};
use crate::error::{Error, Result, TokenProblem};
use crate::ids::TenantId;
use crate::roles::{Permission, Permissions, Role};

/// The caller, the tenant in context and the request id of one request.
#[derive(Clone)]
pub struct RequestContext {
    caller: Caller,
    tenant: TenantId,
    access: Arc<Access>,
    restriction: TokenRestriction,
    request_id: RequestId,
    authorizer: Arc<Authorizer>,
}

impl RequestContext {
    /// Creates the context of a request with a verified identity, in the tenant that the header
    /// names, else in the subject's own or that of its token.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if the subject is gone or disabled, its tenant is, or the token or session
    /// was ended; `FORBIDDEN`, with one message for all causes, if the tenant does not exist or is
    /// disabled, if the token is narrowed to another one, or if the subject has no role there.
    pub async fn enter(
        authorizer: &Arc<Authorizer>,
        presented: &Presented,
        header: Option<TenantHeader>,
        request_id: RequestId,
    ) -> Result<Self> {
        let tenant = match &header {
            None => Some(presented.home),
            Some(TenantHeader(text)) => text.as_deref().and_then(|text| text.parse().ok()),
        };
        let restriction = presented.restriction;
        // An invalid header costs the same query as a foreign tenant, so that timing tells nothing.
        let (snapshot, revoked) = tokio::try_join!(
            authorizer.snapshot(presented.subject, tenant.unwrap_or(presented.home), restriction),
            is_revoked(authorizer, presented),
        )?;
        if revoked {
            return Err(Error::unauthenticated(TokenProblem::Ended));
        }
        let live = snapshot
            .subject
            .as_ref()
            .filter(|state| state.live && state.token_generation == presented.generation);
        let state = live.ok_or_else(|| Error::unauthenticated(TokenProblem::Ended))?;
        let tenant = tenant.ok_or_else(Error::tenant_forbidden)?;
        // Header and token must agree: a narrowed token cannot enter the tenants below its own
        // either.
        let agreed = restriction.tenant().is_none_or(|only| only == tenant);
        let access = snapshot.access(restriction);
        if !agreed || access.roles(authorizer.now()).next().is_none() {
            return Err(Error::tenant_forbidden());
        }
        Ok(Self {
            caller: Caller::of(presented.subject, state.home),
            tenant,
            access,
            restriction,
            request_id,
            authorizer: authorizer.clone(),
        })
    }

    /// The caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The tenant in context.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The id of the request.
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Whether the caller has the permission in the tenant in context.
    pub fn permits(&self, permission: Permission) -> bool {
        self.access.permits(permission, self.authorizer.now())
    }

    /// Everything that the caller may do in the tenant in context.
    pub fn permissions(&self) -> Permissions {
        self.access.permissions(self.authorizer.now())
    }

    /// Whether the caller may give this role to a client in the tenant in context.
    pub fn may_grant(&self, role: Role) -> bool {
        self.permits(Permission::ManageClients)
            && self.access.covers(role, self.authorizer.now()).is_some()
    }

    /// Returns the scope that proves the permission in the tenant in context.
    ///
    /// # Errors
    /// `FORBIDDEN` if no role permits it in the tenant in context.
    pub fn scope(&self, permission: Permission) -> Result<TenantScope> {
        if !self.permits(permission) {
            let needed = permission.sentence();
            return Err(Error::forbidden(format!(
                "this needs the right to {needed} in the tenant in context"
            )));
        }
        Ok(self.member_scope())
    }

    /// Returns the scope for operations that need no permission but entry to the tenant.
    pub fn member_scope(&self) -> TenantScope {
        TenantScope {
            tenant: self.tenant,
            caller: self.caller.clone(),
            restriction: self.restriction,
            request_id: self.request_id.clone(),
            authorizer: self.authorizer.clone(),
        }
    }
}

async fn is_revoked(authorizer: &Authorizer, presented: &Presented) -> Result<bool> {
    match presented.token {
        Some(token) => authorizer.revocations().has(token).await,
        None => Ok(false),
    }
}

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
    /// The scope of the local operator: the command line works on the database without a token.
    pub fn operator(authorizer: &Arc<Authorizer>, tenant: TenantId, request_id: RequestId) -> Self {
        let caller = Caller::Operator;
        let authorizer = authorizer.clone();
        Self { tenant, caller, restriction: TokenRestriction::WHOLE, request_id, authorizer }
    }

    /// The scope in which the gateway continues work in the background that a caller was allowed to
    /// begin. The work must follow from a record that was made in the caller's own scope.
    pub fn background(
        authorizer: &Arc<Authorizer>,
        tenant: TenantId,
        request_id: RequestId,
    ) -> Self {
        let caller = Caller::Gateway;
        let authorizer = authorizer.clone();
        Self { tenant, caller, restriction: TokenRestriction::WHOLE, request_id, authorizer }
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
