//! What the audit log keeps of refusals.

use async_graphql::{PathSegment, Response as Outcome};

use super::super::Door;
use crate::audit::{Refusal, is_recorded};
use crate::auth::{RequestContext, RequestId};
use crate::error::{Error, ErrorCode};
use crate::tokens::Claims;

/// Keeps in the audit log every mutation that was refused, and every query that was denied, under the name of its field;
/// the answer knows only what the caller called it.
pub async fn record_refusals(
    door: &Door,
    context: &RequestContext,
    is_mutation: bool,
    outcome: &Outcome,
    name_of: impl Fn(&str) -> String,
) {
    for error in &outcome.errors {
        let Some(own) = error.source::<Error>() else { continue };
        let kept = own.code() == ErrorCode::Forbidden || (is_mutation && is_recorded(own.code()));
        let Some(PathSegment::Field(key)) = error.path.first().filter(|_| kept) else { continue };
        let refusal = Refusal {
            actor: context.caller().name(),
            acting_tenant: context.caller().home(),
            tenant: context.tenant(),
            operation: name_of(key),
            code: own.code().as_str(),
            reason: None,
            request_id: context.request_id().clone(),
        };
        door.audit.refused(refusal).await;
    }
}

/// Keeps in the audit log of the client's own tenant that it was turned away at the door.
pub async fn record_refused_entry(door: &Door, claims: &Claims, request_id: &RequestId, error: &Error) {
    if !matches!(error.code(), ErrorCode::Forbidden | ErrorCode::Unauthenticated) {
        return;
    }
    let refusal = Refusal {
        actor: claims.sub.to_string(),
        acting_tenant: Some(claims.tenant_id),
        tenant: claims.tenant_id,
        operation: "graphql".to_owned(),
        code: error.code().as_str(),
        reason: None,
        request_id: request_id.clone(),
    };
    door.audit.refused(refusal).await;
}
