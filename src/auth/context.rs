//! The context of a request.

use std::sync::Arc;

use super::access::{Access, Hold};
use super::authorizer::Authorizer;
use super::caller::Caller;
use super::presented::{Presented, TenantHeader, TokenRestriction};
use super::request_id::RequestId;
use super::scope::TenantScope;
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
            && self.access.covers(role, self.authorizer.now()) != Hold::None
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
        TenantScope::of_caller(
            self.caller.clone(),
            self.restriction,
            &self.authorizer,
            self.tenant,
            self.request_id.clone(),
        )
    }
}

async fn is_revoked(authorizer: &Authorizer, presented: &Presented) -> Result<bool> {
    match presented.token {
        Some(token) => authorizer.revocations().has(token).await,
        None => Ok(false),
    }
}
