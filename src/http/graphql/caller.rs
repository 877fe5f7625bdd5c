//! Who calls, and whether they still may.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use tokio::time::interval;
use uuid::Uuid;

use super::super::Door;
use super::super::rate_limit::Quotas;
use super::super::reply::Refused;
use super::refusals::{record_cut_off, record_refused_entry};
use crate::auth::bearer::TENANT_CONTEXT;
use crate::auth::{Caller, RequestContext, RequestId, bearer};
use crate::budget::Account;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;
use crate::roles::Permissions;
use crate::tokens::Claims;

/// The headers that say who calls and in which tenant.
pub const PRESENTED: [HeaderName; 3] = [
    AUTHORIZATION,
    HeaderName::from_static(TENANT_CONTEXT),
    HeaderName::from_static("x-tenant-id"),
];

/// How often those who stay are judged. With `auth.standing_max_age` it makes out after how long at
/// most a stream ends that its caller may no longer follow.
const JUDGED_EVERY: Duration = Duration::from_secs(1);

/// Those of the headers that say it.
pub fn presented(headers: &HeaderMap) -> HeaderMap {
    let mut presented = HeaderMap::new();
    for name in PRESENTED {
        for value in headers.get_all(&name) {
            presented.append(&name, value.clone());
        }
    }
    presented
}

/// A caller who was let in.
#[derive(Clone)]
pub struct Entered {
    claims: Arc<Claims>,
    /// Who, where, and under which request id.
    pub context: RequestContext,
    /// What is left of their quotas.
    pub quotas: Quotas,
}

/// A caller who stays while a stream runs, and is judged again by what they presented.
pub struct Staying {
    /// As they came in.
    pub entered: Entered,
    /// What they presented.
    pub presented: HeaderMap,
    permissions: Permissions,
}

impl Entered {
    /// Lets a caller in by the headers of a request, or by those that a WebSocket gave in their
    /// place.
    ///
    /// # Errors
    /// 401, 403, 400 for a tenant header with two meanings, and 429.
    pub async fn enter(
        door: &Door,
        request_id: &RequestId,
        headers: &HeaderMap,
    ) -> Result<Self, Refused> {
        let claims =
            bearer::authenticate(&door.verifier, headers).await.inspect_err(log_token_problem)?;
        let span = tracing::Span::current();
        span.record("client", tracing::field::display(claims.sub));
        // Counted before the tenant is looked at, so that guessing at tenants is counted too.
        let of_client = door.rate_limits.take_client(claims.sub, 1)?;
        let context =
            match bearer::enter(&door.authorizer, &claims, headers, request_id.clone()).await {
                Ok(context) => context,
                Err(error) => {
                    log_token_problem(&error);
                    record_refused_entry(door, &claims, named_tenant(headers), request_id, &error)
                        .await;
                    return Err(error.into());
                }
            };
        span.record("tenant", tracing::field::display(context.tenant()));
        let of_tenant = door.rate_limits.take_tenant(context.tenant(), 1)?;
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
    pub fn take(&self, door: &Door, operations: u32) -> Result<(), Refused> {
        door.rate_limits.take_client(self.claims.sub, operations)?;
        door.rate_limits.take_tenant(self.context.tenant(), operations)?;
        Ok(())
    }

    /// Lets them stay while a stream runs, with all that they presented.
    pub fn stay(self, presented: HeaderMap) -> Staying {
        Staying { permissions: self.context.permissions(), entered: self, presented }
    }
}

/// On whose account an operation uses the node's budgets: the tenant that it is for, and the client
/// within it.
pub fn account(context: &RequestContext) -> Account<Uuid> {
    Account { owner: context.tenant().0, member: caller_id(context) }
}

/// The client that calls, for taking turns with others.
pub fn caller_id(context: &RequestContext) -> Uuid {
    match context.caller() {
        Caller::Client { id, .. } => id.0,
        Caller::Operator | Caller::Gateway => Uuid::nil(),
    }
}

impl Staying {
    /// The context of a further operation of the same caller, who is judged anew.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if the token has ended or was revoked, `FORBIDDEN` if the tenant is closed
    /// to the caller by now, or anything that they could do in it when they came in.
    pub async fn again(&self, door: &Door, request_id: &RequestId) -> Result<RequestContext> {
        let claims = bearer::authenticate(&door.verifier, &self.presented).await?;
        let context =
            bearer::enter(&door.authorizer, &claims, &self.presented, request_id.clone()).await?;
        match context.permissions().covers(self.permissions) {
            true => Ok(context),
            false => Err(Error::forbidden("a role that this began with has ended")),
        }
    }

    /// Done once the caller may not stay any longer, with what [`Staying::again`] says. To be
    /// waited for beside all that a stream does: neither silence nor a reader who takes nothing
    /// must put it off.
    pub async fn refused(&self, door: &Door) -> Error {
        let mut judged = interval(JUDGED_EVERY);
        loop {
            judged.tick().await;
            if let Err(error) = self.again(door, self.entered.context.request_id()).await {
                return error;
            }
        }
    }

    /// Keeps in the audit log that the caller could not stay, for what [`Staying::again`] said. To
    /// be called once, by whoever ends the stream.
    pub fn cut_off(&self, door: &Arc<Door>, error: &Error) {
        let expired = error.code() == ErrorCode::Unauthenticated
            && door.authorizer.now() >= self.entered.claims.expires_at();
        record_cut_off(door, &self.entered.context, expired.then_some("token_expired"), error);
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
    let [_, names @ ..] = &PRESENTED;
    names.iter().find_map(|name| headers.get(name))?.to_str().ok()?.parse().ok()
}
