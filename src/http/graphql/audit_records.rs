//! Audit records of refusals: at most one for each root field of an operation and each code, one
//! for each stream, and one for each request that failed at authentication. All of them are bounded
//! by the rate limits.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{PathSegment, Response};

use crate::audit::{Outcome, Refusal, is_recorded};
use crate::auth::{Presented, RequestContext, RequestId};
use crate::error::{Error, ErrorCode};
use crate::http::state::AppState;
use crate::ids::TenantId;

/// Records every refused mutation and every denied query under the name of its root field; the
/// response has only the alias.
pub async fn record_refusals(
    state: &AppState,
    context: &RequestContext,
    is_mutation: bool,
    response: &Response,
    name_of: impl Fn(&str) -> String,
) {
    let mut refusals: Vec<Refusal> = Vec::new();
    for (key, error, count) in recorded(response, is_mutation) {
        let new = Refusal { count, ..refusal(context, name_of(key), error) };
        // Several response keys may be aliases of one field.
        match refusals.iter_mut().find(|known| is_same_kind(known, &new)) {
            Some(known) => known.count += count,
            None => refusals.push(new),
        }
    }
    state.audit.refused_all(refusals).await;
}

/// The errors to record: the first of each response key and kind, and how many there are.
fn recorded(response: &Response, is_mutation: bool) -> Vec<(&str, &Error, u64)> {
    let mut indexes: HashMap<(&str, ErrorCode, bool), usize> = HashMap::new();
    let mut recorded: Vec<(&str, &Error, u64)> = Vec::new();
    for error in &response.errors {
        let Some(own) = error.source::<Error>() else { continue };
        let kept = own.code() == ErrorCode::Forbidden || (is_mutation && is_recorded(own.code()));
        let kept = kept && !own.is_recorded();
        let Some(PathSegment::Field(key)) = error.path.first().filter(|_| kept) else { continue };
        let kind = (key.as_str(), own.code(), own.is_outcome_unknown());
        let index = *indexes.entry(kind).or_insert(recorded.len());
        if index == recorded.len() {
            recorded.push((key, own, 0));
        }
        recorded[index].2 += 1;
    }
    recorded
}

fn is_same_kind(one: &Refusal, other: &Refusal) -> bool {
    one.operation == other.operation && one.code == other.code && one.outcome == other.outcome
}

/// Records in the audit log of the caller's own tenant that it was refused, and which tenant it
/// tried: a stranger must not be able to write into the log of that tenant.
pub async fn record_refused_entry(
    state: &AppState,
    presented: &Presented,
    tried: Option<TenantId>,
    request_id: &RequestId,
    error: &Error,
) {
    if !is_denial(error) {
        return;
    }
    // A narrowed token names the tenant that it is restricted to, not the tenant of its subject.
    let home = state.authorizer.home_of(presented.subject).await.unwrap_or_else(|error| {
        error.log_cause();
        None
    });
    let is_narrowed = presented.restriction.tenant().is_some();
    let home = home.or_else(|| (!is_narrowed).then_some(presented.home));
    let refusal = Refusal {
        actor: presented.subject.to_string(),
        acting_tenant: home,
        tenant: home.unwrap_or(presented.home),
        operation: "graphql".to_owned(),
        subject: tried.map(|tenant| tenant.to_string()),
        outcome: Outcome::Refused,
        code: error.code().as_str(),
        reason: None,
        count: 1,
        request_id: request_id.clone(),
    };
    state.audit.refused(refusal).await;
}

/// Records that a request of an authenticated caller was refused before anything was executed.
pub async fn record_refused(
    state: &AppState,
    context: &RequestContext,
    subject: Option<String>,
    reason: &'static str,
    error: &Error,
) {
    let refusal = refusal(context, "graphql".to_owned(), error);
    let refusal = Refusal { subject, reason: Some(reason), ..refusal };
    state.audit.refused(refusal).await;
}

/// Records that a stream was ended because its caller lost access. In a task of its own: the end of
/// the stream must not wait for the log.
pub fn record_revoked_stream(
    state: &Arc<AppState>,
    context: &RequestContext,
    reason: Option<&'static str>,
    error: &Error,
) {
    if !is_denial(error) {
        return;
    }
    let refusal = Refusal { reason, ..refusal(context, "stream".to_owned(), error) };
    let guard = state.streams.register();
    let state = state.clone();
    tokio::spawn(async move {
        state.audit.refused_later(refusal).await;
        drop(guard);
    });
}

/// Whether the error denies access, rather than reporting a mistake or a failure.
fn is_denial(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::Forbidden | ErrorCode::Unauthenticated)
}

fn refusal(context: &RequestContext, operation: String, error: &Error) -> Refusal {
    Refusal {
        actor: context.caller().name(),
        acting_tenant: context.caller().home(),
        tenant: context.tenant(),
        operation,
        subject: None,
        outcome: Outcome::of(error),
        code: error.code().as_str(),
        reason: None,
        count: 1,
        request_id: context.request_id().clone(),
    }
}
