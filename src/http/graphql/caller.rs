//! Who calls, and whether they still may.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use tokio::time::interval;
use uuid::Uuid;

use super::super::AppState;
use super::super::rate_limit::Quotas;
use super::super::reply::HttpError;
use super::audit_records::{record_cut_off, record_refused_entry};
use crate::auth::bearer::TENANT_CONTEXT;
use crate::auth::{Caller, RequestContext, RequestId, bearer};
use crate::budget::Account;
use crate::database::Borrower;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;
use crate::roles::Permissions;
use crate::tokens::Claims;

/// The headers that say who calls and in which tenant.
pub const CREDENTIAL_HEADERS: [HeaderName; 3] = [
    AUTHORIZATION,
    HeaderName::from_static(TENANT_CONTEXT),
    HeaderName::from_static("x-tenant-id"),
];

/// How often those who stay are judged. With `auth.access_cache_ttl` it makes out after how long at
/// most a stream ends that its caller may no longer follow.
const JUDGED_EVERY: Duration = Duration::from_secs(1);

/// Those of the headers that say it.
pub fn credential_headers(headers: &HeaderMap) -> HeaderMap {
    let mut credential_headers = HeaderMap::new();
    for name in CREDENTIAL_HEADERS {
        for value in headers.get_all(&name) {
            credential_headers.append(&name, value.clone());
        }
    }
    credential_headers
}

/// A caller who was let in.
#[derive(Clone)]
pub struct AuthenticatedCaller {
    claims: Arc<Claims>,
    /// Who, where, and under which request id.
    pub context: RequestContext,
    /// What is left of their quotas.
    pub quotas: Quotas,
}

/// A caller for as long as a stream runs, reauthorized by the credentials that opened it.
pub struct StreamSession {
    /// As they came in.
    pub caller: AuthenticatedCaller,
    /// The credentials that opened the stream.
    pub credential_headers: HeaderMap,
    permissions: Permissions,
}

impl AuthenticatedCaller {
    /// Lets a caller in by the headers of a request, or by those that a WebSocket gave in their
    /// place.
    ///
    /// # Errors
    /// 401, 403, 400 for a tenant header with two meanings, and 429.
    pub async fn authenticate(
        state: &AppState,
        request_id: &RequestId,
        headers: &HeaderMap,
    ) -> Result<Self, HttpError> {
        let claims =
            bearer::authenticate(&state.verifier, headers).await.inspect_err(log_token_problem)?;
        let span = tracing::Span::current();
        span.record("client", tracing::field::display(claims.sub));
        // Counted before the tenant is looked at, so that guessing at tenants is counted too.
        let of_client = state.rate_limits.take_client(claims.sub, 1)?;
        let context =
            match bearer::enter(&state.authorizer, &claims, headers, request_id.clone()).await {
                Ok(context) => context,
                Err(error) => {
                    log_token_problem(&error);
                    record_refused_entry(state, &claims, named_tenant(headers), request_id, &error)
                        .await;
                    return Err(error.into());
                }
            };
        span.record("tenant", tracing::field::display(context.tenant()));
        let of_tenant = state.rate_limits.take_tenant(context.tenant(), 1)?;
        Ok(Self { claims, context, quotas: Quotas { of_client, of_tenant } })
    }

    /// On whose account the caller uses the node's budgets.
    pub fn account(&self) -> Account<Uuid> {
        account(&self.context)
    }

    /// The OAuth `client_id`.
    pub fn client_id(&self) -> &str {
        &self.claims.client_id
    }

    /// Counts further operations of the same caller.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn take(&self, state: &AppState, operations: u32) -> Result<(), HttpError> {
        state.rate_limits.take_client(self.claims.sub, operations)?;
        state.rate_limits.take_tenant(self.context.tenant(), operations)?;
        Ok(())
    }

    /// Keeps the caller and the credentials for as long as a stream runs.
    pub fn into_session(self, credential_headers: HeaderMap) -> StreamSession {
        StreamSession { permissions: self.context.permissions(), caller: self, credential_headers }
    }
}

/// On whose account an operation uses the node's budgets: the tenant that it is for, and the client
/// within it.
pub fn account(context: &RequestContext) -> Account<Uuid> {
    Account { owner: context.tenant().0, member: caller_id(context) }
}

/// For whom an operation uses the database: as [`account`].
pub fn borrower(context: &RequestContext) -> Borrower {
    Borrower { tenant: context.tenant(), client: caller_id(context) }
}

/// The client that calls, for taking turns with others.
pub fn caller_id(context: &RequestContext) -> Uuid {
    match context.caller() {
        Caller::Client { id, .. } => id.0,
        Caller::Operator | Caller::Gateway => Uuid::nil(),
    }
}

impl StreamSession {
    /// The context of a further operation of the same caller, who is judged anew.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if the token has ended or was revoked, `FORBIDDEN` if the tenant is closed
    /// to the caller by now, or anything that they could do in it when they came in.
    pub async fn reauthorize(
        &self,
        state: &AppState,
        request_id: &RequestId,
    ) -> Result<RequestContext> {
        let claims = bearer::authenticate(&state.verifier, &self.credential_headers).await?;
        let context =
            bearer::enter(&state.authorizer, &claims, &self.credential_headers, request_id.clone())
                .await?;
        match context.permissions().covers(self.permissions) {
            true => Ok(context),
            false => Err(Error::forbidden("a role that this began with has ended")),
        }
    }

    /// Done once the caller may not stay any longer, with what [`StreamSession::reauthorize`] says. To be
    /// waited for beside all that a stream does: neither silence nor a reader who takes nothing
    /// must put it off.
    pub async fn refused(&self, state: &AppState) -> Error {
        let mut judged = interval(JUDGED_EVERY);
        loop {
            judged.tick().await;
            if let Err(error) = self.reauthorize(state, self.caller.context.request_id()).await {
                return error;
            }
        }
    }

    /// Keeps in the audit log that the caller could not stay, for what [`StreamSession::reauthorize`] said. To
    /// be called once, by whoever ends the stream.
    pub fn cut_off(&self, state: &Arc<AppState>, error: &Error) {
        let expired = error.code() == ErrorCode::Unauthenticated
            && state.authorizer.now() >= self.caller.claims.expires_at();
        record_cut_off(state, &self.caller.context, expired.then_some("token_expired"), error);
    }
}

/// Writes to the log why a token was refused, which the answer says to its holder alone.
fn log_token_problem(error: &Error) {
    if let Some(problem) = error.token_problem() {
        tracing::info!(reason = problem.reason(), "access token refused");
    }
}

/// The tenant that the headers name, if they name one: the others are refused for contradicting
/// each other.
fn named_tenant(headers: &HeaderMap) -> Option<TenantId> {
    let [_, names @ ..] = &CREDENTIAL_HEADERS;
    names.iter().find_map(|name| headers.get(name))?.to_str().ok()?.parse().ok()
}
