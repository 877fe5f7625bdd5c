//! The token endpoint (RFC 6749, section 4.4: client credentials).

use axum::response::Response;
use serde::Serialize;

use super::client_authentication::authenticate;
use super::denials::{record_denial, tenant_asked_for};
use super::error::{OauthError, no_store};
use super::{Request, json_ok};
use crate::clients::Purpose;
use crate::http::AppState;
use crate::roles::Permissions;
use crate::tokens::{Narrowing, SCOPE, Subject};

/// RFC 6749, section 5.1.
#[derive(Serialize)]
struct Granted {
    access_token: String,
    token_type: &'static str,
    /// In seconds.
    expires_in: u64,
    scope: String,
}

/// Serves the endpoint.
pub async fn handle(request: Request) -> Response {
    match grant(&request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn grant(request: &Request) -> Result<Response, OauthError> {
    let (state, form) = (&request.state, &request.form);
    let subject = authenticate(request, "token", Purpose::Token).await?;
    match form.get("grant_type") {
        None => return Err(OauthError::InvalidRequest("grant_type is required")),
        Some("client_credentials") => {}
        Some(_) => return Err(OauthError::UnsupportedGrantType),
    }
    let narrowing = match narrow(state, &subject, form.get("tenant"), form.get("scope")).await {
        Ok(narrowing) => narrowing,
        Err(error) => {
            record_denial(request, &subject, "token", tenant_asked_for(request), error).await;
            return Err(error);
        }
    };
    let issued = state.issuer.issue_narrowed(&subject, &narrowing).await;
    let issued = issued.map_err(|error| OauthError::ours(&error))?;
    let granted = Granted {
        access_token: issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: narrowing.scope,
    };
    Ok(no_store(json_ok(&granted)))
}

/// How far the token is to reach: to the tenant that was asked for, if it is open to the client,
/// and to the scope, if the client's roles permit all of it there.
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
        .grantable(subject.client, tenant)
        .await
        .map_err(|error| OauthError::ours(&error))?;
    if tenant.is_some() && held.is_none() {
        return Err(OauthError::InvalidTarget);
    }
    // The scope for everything means all that the roles permit, whatever that is at the time of
    // use.
    if wanted != Permissions::ALL && !held.unwrap_or(Permissions::NONE).covers(wanted) {
        return Err(OauthError::InvalidScope);
    }
    Ok(Narrowing { tenant, scope: wanted.scope() })
}
