//! The token endpoint: client credentials (RFC 6749, section 4.4) and device codes (RFC 8628).

use axum::response::Response;

use super::client_authentication::authenticate;
use super::denials::{record_denial, requested_tenant};
use super::error::{OauthError, no_store};
use super::granted::Granted;
use super::{Request, device, json_ok};
use crate::clients::Purpose;
use crate::http::state::AppState;
use crate::roles::Permissions;
use crate::tokens::{Narrowing, SCOPE, Subject};

/// Serves the endpoint.
pub async fn handle(request: Request) -> Response {
    match grant(&request).await {
        Ok(response) => {
            request.state.metrics.count_token_request("issued");
            response
        }
        Err(error) => {
            request.state.metrics.count_token_request(error.code());
            error.into_response()
        }
    }
}

async fn grant(request: &Request) -> Result<Response, OauthError> {
    let state = &request.state;
    let form = &request.form;
    // Its programs are public: they have nothing to authenticate with.
    if form.get("grant_type") == Some(device::GRANT_TYPE) {
        return device::grant(request).await;
    }
    let subject = authenticate(request, "token", Purpose::Token).await?;
    match form.get("grant_type") {
        None => return Err(OauthError::InvalidRequest("grant_type is required")),
        Some("client_credentials") => {}
        Some(_) => return Err(OauthError::UnsupportedGrantType),
    }
    let narrowing = match narrow(state, &subject, form.get("tenant"), form.get("scope")).await {
        Ok(narrowing) => narrowing,
        Err(error) => {
            record_denial(request, &subject, "token", requested_tenant(request), error).await;
            return Err(error);
        }
    };
    let issued = state.issuer.issue_narrowed(&subject, &narrowing).await;
    let issued = issued.map_err(|error| OauthError::internal(&error))?;
    let granted = Granted::new(issued, narrowing.scope);
    Ok(no_store(json_ok(&granted)))
}

/// The restriction of the token: to the requested tenant, if the client has access to it, and to
/// the requested scope, if the client's roles in that tenant cover it.
async fn narrow(
    state: &AppState,
    subject: &Subject,
    tenant: Option<&str>,
    scope: Option<&str>,
) -> Result<Narrowing, OauthError> {
    let tenant =
        tenant.map(|tenant| tenant.parse().map_err(|_| OauthError::InvalidTarget)).transpose()?;
    let wanted = Permissions::requested(scope.unwrap_or(SCOPE)).ok_or(OauthError::InvalidScope)?;
    if tenant.is_none() && wanted == Permissions::ALL {
        return Ok(Narrowing::default());
    }
    let held = state
        .authorizer
        .grantable(subject.client.into(), tenant)
        .await
        .map_err(|error| OauthError::internal(&error))?;
    if tenant.is_some() && held.is_none() {
        return Err(OauthError::InvalidTarget);
    }
    // The scope for everything means whatever the roles permit when the token is used.
    if wanted != Permissions::ALL && !held.unwrap_or(Permissions::NONE).covers(wanted) {
        return Err(OauthError::InvalidScope);
    }
    Ok(Narrowing { tenant, scope: wanted.scope() })
}
