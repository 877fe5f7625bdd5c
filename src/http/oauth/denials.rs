//! What the audit log keeps of what clients were denied that had proved themselves.

use super::Request;
use super::error::OauthError;
use crate::audit::{Outcome, Refusal};
use crate::ids::TenantId;
use crate::tokens::Subject;

/// Keeps in the log of the client's own tenant that it was denied what it asked for. Nothing else
/// counts requests of those who prove themselves: here they are counted like operations of the
/// graph, and past that limit nothing more is kept.
pub(super) async fn record_denial(
    request: &Request,
    subject: &Subject,
    operation: &'static str,
    of: Option<String>,
    error: OauthError,
) {
    let denied = matches!(
        error,
        OauthError::InvalidTarget | OauthError::InvalidScope | OauthError::InvalidGrant
    );
    let state = &request.state;
    if !denied || state.rate_limits.take_client(subject.client, 1).is_err() {
        return;
    }
    let refusal = Refusal {
        actor: subject.client.to_string(),
        acting_tenant: Some(subject.tenant),
        tenant: subject.tenant,
        operation: operation.to_owned(),
        subject: of,
        outcome: Outcome::Refused,
        code: error.code(),
        reason: None,
        count: 1,
        request_id: request.id.clone(),
    };
    state.audit.refused(refusal).await;
}

/// A tenant as it was asked for, if that is the id of one.
pub(super) fn tenant_asked_for(request: &Request) -> Option<String> {
    let tenant = request.form.get("tenant")?.parse::<TenantId>().ok()?;
    Some(tenant.to_string())
}
