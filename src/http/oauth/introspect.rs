//! Token introspection (RFC 7662): what resource servers ask about a token that somebody showed
//! them.

use axum::response::Response;
use serde_json::{Value, json};

use super::client_authentication::authenticate;
use super::error::{OauthError, no_store};
use super::{Request, json_ok};
use crate::clients::Purpose;
use crate::error::{ErrorCode, Result};
use crate::http::AppState;
use crate::tokens::{Claims, Subject};

/// Serves the endpoint.
pub async fn handle(request: Request) -> Response {
    match introspect(&request).await {
        Ok(body) => no_store(json_ok(&body)),
        Err(error) => error.into_response(),
    }
}

async fn introspect(request: &Request) -> Result<Value, OauthError> {
    let (state, form) = (&request.state, &request.form);
    let subject = authenticate(request, "introspect", Purpose::Inquiry).await?;
    let token = form.get("token").ok_or(OauthError::InvalidRequest("token is required"))?;
    let live = live(state, &subject, token).await.map_err(|error| OauthError::ours(&error))?;
    Ok(live.map_or_else(|| json!({ "active": false }), |claims| told(&claims)))
}

/// The claims of a token that works at this moment and concerns the client that asks: its own, or
/// one for a tenant that is the client's own or stands below it. About every other token it learns
/// what it would learn about rubbish.
async fn live(
    state: &AppState,
    subject: &Subject,
    token: &str,
) -> Result<Option<std::sync::Arc<Claims>>> {
    let claims = match state.verifier.verify(token).await {
        Ok(claims) => claims,
        Err(error) if error.code() == ErrorCode::Unauthenticated => return Ok(None),
        Err(error) => return Err(error),
    };
    let concerned = claims.sub == subject.client
        || state.authorizer.is_at_or_below(claims.tenant_id, subject.tenant).await?;
    Ok((concerned && state.authorizer.is_live(&claims).await?).then_some(claims))
}

/// RFC 7662, section 2.2, and the claims of our own that a resource server needs to keep tenants
/// apart.
fn told(claims: &Claims) -> Value {
    let mut told = json!({
        "active": true,
        "scope": claims.scope,
        "client_id": claims.client_id,
        "token_type": "Bearer",
        "exp": claims.exp,
        "iat": claims.iat,
        "sub": claims.sub,
        "aud": claims.aud,
        "iss": claims.iss,
        "jti": claims.jti,
        "tenant_id": claims.tenant_id,
    });
    if claims.tenant_only {
        told["tenant_only"] = true.into();
    }
    told
}
