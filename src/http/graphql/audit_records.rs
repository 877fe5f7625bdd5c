//! What the audit log keeps of refusals. There is at most one record for each field at the root of
//! an operation and each code, one for each stream, and one for each request that got no further
//! than authentication; all of these are counted by the rate limits before.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{PathSegment, Response};

use super::super::AppState;
use crate::audit::{Outcome, Refusal, is_recorded};
use crate::auth::{RequestContext, RequestId};
use crate::error::{Error, ErrorCode};
use crate::ids::TenantId;
use crate::tokens::Claims;

/// Keeps in the audit log every mutation that was refused, and every query that was denied, under
/// the name of its field; the answer knows only what the caller called it.
pub async fn record_refusals(
    state: &AppState,
    context: &RequestContext,
    is_mutation: bool,
    response: &Response,
    name_of: impl Fn(&str) -> String,
) {
    let mut places: HashMap<(&str, ErrorCode, bool), usize> = HashMap::new();
    let mut alike: Vec<(&str, &Error, u64)> = Vec::new();
    for error in &response.errors {
        let Some(own) = error.source::<Error>() else { continue };
        let kept = own.code() == ErrorCode::Forbidden || (is_mutation && is_recorded(own.code()));
        let kept = kept && !own.is_recorded();
        let Some(PathSegment::Field(key)) = error.path.first().filter(|_| kept) else { continue };
        let place =
            *places.entry((key, own.code(), own.is_outcome_unknown())).or_insert(alike.len());
        if place == alike.len() {
            alike.push((key, own, 0));
        }
        alike[place].2 += 1;
    }
    let mut refusals: Vec<Refusal> = Vec::new();
    for (key, error, count) in alike {
        let new = Refusal { count, ..refusal(context, name_of(key), error) };
        // Several keys of the answer may stand for one field.
        let known = refusals.iter_mut().find(|known| is_alike(known, &new));
        match known {
            Some(known) => known.count += count,
            None => refusals.push(new),
        }
    }
    state.audit.refused_all(refusals).await;
}

fn is_alike(one: &Refusal, other: &Refusal) -> bool {
    one.operation == other.operation && one.code == other.code && one.outcome == other.outcome
}

/// Keeps in the audit log of the client's own tenant that it was refused entry, and which
/// tenant it tried: a stranger must not be able to write into the log of that tenant.
pub async fn record_refused_entry(
    state: &AppState,
    claims: &Claims,
    tried: Option<TenantId>,
    request_id: &RequestId,
    error: &Error,
) {
    if !is_denial(error) {
        return;
    }
    // A token that was narrowed names the tenant that it was narrowed to, and not the one that its
    // client belongs to.
    let home = state.authorizer.home_of(claims.sub).await.unwrap_or_else(|error| {
        error.log_cause();
        None
    });
    let home = home.or_else(|| (!claims.tenant_only).then_some(claims.tenant_id));
    let refusal = Refusal {
        actor: claims.sub.to_string(),
        acting_tenant: home,
        tenant: home.unwrap_or(claims.tenant_id),
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

/// Keeps in the audit log that something was refused to a caller who was let in, before anything
/// was executed.
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

/// Keeps in the audit log that a stream was ended because its caller may not follow it any longer.
/// Beside the stream, whose end must not wait for the log.
pub fn record_cut_off(
    state: &Arc<AppState>,
    context: &RequestContext,
    reason: Option<&'static str>,
    error: &Error,
) {
    if !is_denial(error) {
        return;
    }
    let refusal = Refusal { reason, ..refusal(context, "stream".to_owned(), error) };
    let (state, guard) = (state.clone(), state.streams.register());
    tokio::spawn(async move {
        state.audit.refused_in_turn(refusal).await;
        drop(guard);
    });
}

/// Whether the caller was not allowed to, rather than mistaken or unlucky.
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
