//! Authenticates callers: the holder of an access token, or a person in a browser session.

use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use uuid::Uuid;

use super::audit_records::record_refused_entry;
use crate::auth::{
    Presented, RequestContext, RequestId, SubjectId, TENANT_CONTEXT, TokenRestriction,
    tenant_header, verify_bearer,
};
use crate::budget::Account;
use crate::clock::Timestamp;
use crate::database::Borrower;
use crate::error::{Error, Result, TokenProblem};
use crate::http::browser::{cookies, csrf, same_origin};
use crate::http::http_error::HttpError;
use crate::http::state::AppState;
use crate::http::state::rate_limit::Quotas;
use crate::ids::TenantId;
use crate::sessions::Session;
use crate::tokens::Claims;

/// The headers with the credentials of a caller and the tenant in context.
pub const CREDENTIAL_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    TENANT_CONTEXT,
    HeaderName::from_static("x-tenant-id"),
    HeaderName::from_static(csrf::HEADER),
];

/// The headers that a browser sends by itself. They count together with the token against forged
/// requests, and no message of a WebSocket can bring them.
const BROWSER_HEADERS: [HeaderName; 4] = [COOKIE, HOST, ORIGIN, same_origin::SEC_FETCH_SITE];

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

/// Stands for the `client_id` of a token where the caller has a session.
const SESSION_CLIENT_ID: &str = "session";

/// The purpose of looking up a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A request, which keeps the session from ending as idle.
    Request,
    /// A stream, which runs on by itself and does not keep the session alive.
    Stream,
}

/// A verified caller.
pub enum Identity {
    /// The holder of an access token.
    Token(Arc<Claims>),
    /// A person with a session.
    Session(Box<Session>),
}

impl Identity {
    /// Verifies the credentials of a request: an access token, or else the cookie of a session
    /// together with the token against forged requests, from a page of the gateway's own origin.
    /// A cookie alone never counts, since browsers send it by themselves.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without valid credentials; `FORBIDDEN` for a cookie that comes with a
    /// wrong token or from another origin.
    pub async fn read(state: &AppState, headers: &HeaderMap, used_for: Use) -> Result<Self> {
        let is_session = !headers.contains_key(AUTHORIZATION) && headers.contains_key(csrf::HEADER);
        if is_session {
            return Self::of_session(state, headers, used_for).await;
        }
        Ok(Self::Token(verify_bearer(&state.verifier, headers).await?))
    }

    async fn of_session(state: &AppState, headers: &HeaderMap, used_for: Use) -> Result<Self> {
        let cookie = cookies::read(headers, cookies::SESSION);
        let cookie = cookie.ok_or_else(|| Error::unauthenticated(TokenProblem::Missing))?;
        let token = headers.get(csrf::HEADER).and_then(|token| token.to_str().ok());
        let is_own = same_origin::is_own_page(state.pages.origin.as_deref(), headers);
        if !is_own || !csrf::is_valid(headers, token.unwrap_or_default()) {
            return Err(Error::forbidden(
                "X-CSRF-Token is not that of this session, or the request comes from another \
                 origin; GET /session tells the token to pages of the gateway",
            ));
        }
        let session = match used_for {
            Use::Request => state.sessions.find(&cookie).await?,
            Use::Stream => state.sessions.check(&cookie).await?,
        };
        let session = session.filter(Session::is_active);
        let session = session.ok_or_else(|| Error::unauthenticated(TokenProblem::Ended))?;
        Ok(Self::Session(Box::new(session)))
    }

    /// The client or person.
    pub fn subject(&self) -> SubjectId {
        match self {
            Self::Token(claims) => claims.subject(),
            Self::Session(session) => SubjectId::User(session.user),
        }
    }

    /// Enters the tenant that the headers name.
    ///
    /// # Errors
    /// As [`RequestContext::enter`], and `BAD_REQUEST` for ambiguous tenant headers.
    pub async fn enter(
        &self,
        state: &AppState,
        headers: &HeaderMap,
        request_id: RequestId,
    ) -> Result<RequestContext> {
        let header = tenant_header(headers)?;
        RequestContext::enter(&state.authorizer, &self.presented(), header, request_id).await
    }

    fn presented(&self) -> Presented {
        match self {
            Self::Token(claims) => Presented::from(&**claims),
            Self::Session(session) => Presented {
                subject: SubjectId::User(session.user),
                home: session.home,
                generation: session.generation,
                token: None,
                restriction: TokenRestriction::WHOLE,
            },
        }
    }

    /// The `client_id` that the token was issued to.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Token(claims) => &claims.client_id,
            Self::Session(_) => SESSION_CLIENT_ID,
        }
    }

    /// Whether the token has expired by then. The end of a session cannot be told from its being
    /// ended.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        match self {
            Self::Token(claims) => now >= claims.expires_at(),
            Self::Session(_) => false,
        }
    }
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
        let context = match identity.enter(state, headers, request_id.clone()).await {
            Ok(context) => context,
            Err(error) => {
                log_token_problem(&error);
                let tenant = named_tenant(headers);
                let presented = identity.presented();
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

    /// Whether the caller's token has expired by then.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.identity.has_expired(now)
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
