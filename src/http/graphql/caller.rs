//! Authenticates callers, and reauthorizes those of streams.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use tokio::time::interval;
use uuid::Uuid;

use super::audit_records::{record_refused_entry, record_revoked_stream};
use super::identity::{Identity, Use};
use crate::auth::bearer::TENANT_CONTEXT;
use crate::auth::{RequestContext, RequestId, SubjectId, bearer};
use crate::budget::Account;
use crate::database::Borrower;
use crate::error::{Error, ErrorCode, Result};
use crate::http::browser::{csrf, same_origin};
use crate::http::http_error::HttpError;
use crate::http::state::AppState;
use crate::http::state::rate_limit::Quotas;
use crate::ids::TenantId;
use crate::roles::Permissions;

/// The headers with the credentials of a caller and the tenant in context.
pub const CREDENTIAL_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static(TENANT_CONTEXT),
    HeaderName::from_static("x-tenant-id"),
    HeaderName::from_static(csrf::HEADER),
];

/// The headers that a browser sends by itself. They count together with the token against forged
/// requests, and no message of a WebSocket can bring them.
const BROWSER_HEADERS: [HeaderName; 4] = [COOKIE, HOST, ORIGIN, same_origin::SEC_FETCH_SITE];

/// How often the caller of a stream is reauthorized. Together with
/// `auth.access_cache_ttl` it bounds how long a stream outlives its caller's rights.
const REAUTHORIZE_EVERY: Duration = Duration::from_secs(1);

/// The headers of a request that are [`CREDENTIAL_HEADERS`] or that a browser adds.
pub fn credential_headers(headers: &HeaderMap) -> HeaderMap {
    let mut credentials = HeaderMap::new();
    for name in CREDENTIAL_HEADERS.into_iter().chain(BROWSER_HEADERS) {
        for value in headers.get_all(&name) {
            credentials.append(&name, value.clone());
        }
    }
    credentials
}

/// A caller with a valid token or session who may act in the tenant in context.
#[derive(Clone)]
pub struct AuthenticatedCaller {
    identity: Arc<Identity>,
    /// The caller, the tenant and the request id.
    pub context: RequestContext,
    /// The remaining quotas of the caller and the tenant.
    pub quotas: Quotas,
}

/// A caller for as long as a stream runs, reauthorized by the credentials that opened it.
pub struct StreamSession {
    /// The caller as authenticated when the stream was opened.
    pub caller: AuthenticatedCaller,
    /// The credentials that opened the stream.
    pub credential_headers: HeaderMap,
    permissions: Permissions,
}

impl AuthenticatedCaller {
    /// Authenticates a caller by the headers of a request, or by the headers that the credentials
    /// of a WebSocket stand for. Counts as one operation.
    ///
    /// # Errors
    /// 401, 403, 400 for contradicting tenant headers, and 429.
    pub async fn authenticate(
        state: &AppState,
        request_id: &RequestId,
        headers: &HeaderMap,
    ) -> Result<Self, HttpError> {
        let identity = Identity::read(state, headers, Use::Request).await;
        let identity = Arc::new(identity.inspect_err(log_token_problem)?);
        let span = tracing::Span::current();
        let subject = identity.subject();
        span.record("client", tracing::field::display(subject));
        // Before the tenant is resolved, so that guessing at tenants counts too.
        let of_client = state.rate_limits.take_subject(subject, 1)?;
        let presented = identity.presented();
        let context =
            bearer::enter(&state.authorizer, &presented, headers, request_id.clone()).await;
        let context = match context {
            Ok(context) => context,
            Err(error) => {
                log_token_problem(&error);
                let tenant = named_tenant(headers);
                record_refused_entry(state, &presented, tenant, request_id, &error).await;
                return Err(error.into());
            }
        };
        span.record("tenant", tracing::field::display(context.tenant()));
        let of_tenant = state.rate_limits.take_tenant(context.tenant(), 1)?;
        Ok(Self { identity, context, quotas: Quotas { of_client, of_tenant } })
    }

    /// The account that the caller's use of the node's budgets is charged to.
    pub fn account(&self) -> Account<Uuid> {
        account(&self.context)
    }

    /// The OAuth `client_id` that the token was issued to; for a session `session`.
    pub fn client_id(&self) -> &str {
        self.identity.client_id()
    }

    /// Counts further operations of the same caller.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn count_operations(&self, state: &AppState, operations: u32) -> Result<(), HttpError> {
        state.rate_limits.take_subject(self.identity.subject(), operations)?;
        state.rate_limits.take_tenant(self.context.tenant(), operations)?;
        Ok(())
    }

    /// Keeps the caller and the credentials for as long as a stream runs.
    pub fn into_session(self, credential_headers: HeaderMap) -> StreamSession {
        StreamSession { permissions: self.context.permissions(), caller: self, credential_headers }
    }
}

/// The account that an operation is charged to: the tenant in context, and the subject within it.
pub fn account(context: &RequestContext) -> Account<Uuid> {
    Account { owner: context.tenant().0, member: caller_id(context) }
}

/// The borrower that an operation's database connections are charged to, as in [`account`].
pub fn borrower(context: &RequestContext) -> Borrower {
    Borrower { tenant: context.tenant(), client: caller_id(context) }
}

/// The UUID of the client or user that calls; nil for the operator and the gateway itself.
pub fn caller_id(context: &RequestContext) -> Uuid {
    context.caller().subject().map_or_else(Uuid::nil, SubjectId::uuid)
}

impl StreamSession {
    /// Authorizes the same caller again, for a further operation or event.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if the token has expired or was revoked, `FORBIDDEN` if the caller has
    /// lost access to the tenant or any permission held when the stream was opened.
    pub async fn reauthorize(
        &self,
        state: &AppState,
        request_id: &RequestId,
    ) -> Result<RequestContext> {
        let headers = &self.credential_headers;
        let identity = Identity::read(state, headers, Use::Stream).await?;
        let presented = identity.presented();
        let context =
            bearer::enter(&state.authorizer, &presented, headers, request_id.clone()).await?;
        if context.permissions().covers(self.permissions) {
            Ok(context)
        } else {
            Err(Error::forbidden("a role that the stream was opened with has been removed"))
        }
    }

    /// Completes with the error of [`StreamSession::reauthorize`] once it fails. Callers await it
    /// concurrently with everything that a stream does: neither silence nor a stalled reader may
    /// delay the end.
    pub async fn revoked(&self, state: &AppState) -> Error {
        let mut ticks = interval(REAUTHORIZE_EVERY);
        loop {
            ticks.tick().await;
            let request_id = self.caller.context.request_id();
            if let Err(error) = self.reauthorize(state, request_id).await {
                return error;
            }
        }
    }

    /// Records in the audit log that the stream was ended by an error of
    /// [`StreamSession::reauthorize`]. To be called once a stream.
    pub fn record_revoked(&self, state: &Arc<AppState>, error: &Error) {
        let expired = error.code() == ErrorCode::Unauthenticated
            && self.caller.identity.has_expired(state.authorizer.now());
        let reason = expired.then_some("token_expired");
        record_revoked_stream(state, &self.caller.context, reason, error);
    }
}

/// Logs the reason for a refused token; only a response to the token's holder contains it.
fn log_token_problem(error: &Error) {
    if let Some(problem) = error.token_problem() {
        tracing::info!(reason = problem.reason(), "access token refused");
    }
}

/// The tenant that the headers name. Headers that contradict each other are rejected elsewhere.
fn named_tenant(headers: &HeaderMap) -> Option<TenantId> {
    let [_, context, id, _] = &CREDENTIAL_HEADERS;
    [context, id].into_iter().find_map(|name| headers.get(name))?.to_str().ok()?.parse().ok()
}
