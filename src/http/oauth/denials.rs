//! Audit records of what authenticated clients were denied.

use super::Request;
use super::error::OauthError;
use crate::audit::{Outcome, Refusal};
use crate::ids::TenantId;
use crate::tokens::Subject;

/// Records a denied request in the log of the client's own tenant. Requests of authenticated
/// clients are not otherwise rate limited: here they count like GraphQL operations, and above that
/// limit nothing is recorded.
pub(super) async fn record_denial(
    request: &Request,
    subject: &Subject,
    operation: &'static str,
    subject_of_denial: Option<String>,
    error: OauthError,
) {
    let denied = matches!(
        error,
        OauthError::InvalidTarget | OauthError::InvalidScope | OauthError::InvalidGrant
    );
    let state = &request.state;
    if !denied || state.rate_limits.take_subject(subject.client.into(), 1).is_err() {
        return;
    }
    let refusal = Refusal {
        actor: subject.client.to_string(),
        acting_tenant: Some(subject.tenant),
        tenant: subject.tenant,
        operation: operation.to_owned(),
        subject: subject_of_denial,
        outcome: Outcome::Refused,
        code: error.code(),
        reason: None,
        count: 1,
        request_id: request.id.clone(),
    };
    state.audit.refused(refusal).await;
}

/// The requested tenant, if the parameter is a tenant id.
pub(super) fn requested_tenant(request: &Request) -> Option<String> {
    let tenant = request.form.get("tenant")?.parse::<TenantId>().ok()?;
    Some(tenant.to_string())
}
