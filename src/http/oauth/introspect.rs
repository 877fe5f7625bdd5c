//! Token introspection (RFC 7662): whether a token is active, and its claims.

use axum::response::Response;
use serde_json::{Value, json};

use super::client_authentication::authenticate;
use super::error::{OauthError, no_store};
use super::{Request, json_ok};
use crate::clients::Purpose;
use crate::error::{ErrorCode, Result};
use crate::http::state::AppState;
use crate::tokens::{Claims, Subject, SubjectType};

/// Serves the endpoint.
pub async fn handle(request: Request) -> Response {
    match introspect(&request).await {
        Ok(body) => no_store(json_ok(&body)),
        Err(error) => error.into_response(),
    }
}

async fn introspect(request: &Request) -> Result<Value, OauthError> {
    let state = &request.state;
    let subject = authenticate(request, "introspect", Purpose::Inquiry).await?;
    let token = request.form.get("token").ok_or(OauthError::InvalidRequest("token is required"))?;
    let claims = visible_claims(state, &subject, token)
        .await
        .map_err(|error| OauthError::internal(&error))?;
    Ok(claims.map_or_else(|| json!({ "active": false }), |claims| active(&claims)))
}

/// The claims of an active token that the client may see: its own, or one for the client's tenant
/// or a tenant below it. Any other token looks like an invalid one.
async fn visible_claims(
    state: &AppState,
    subject: &Subject,
    token: &str,
) -> Result<Option<std::sync::Arc<Claims>>> {
    let claims = match state.verifier.verify(token).await {
        Ok(claims) => claims,
        Err(error) if error.code() == ErrorCode::Unauthenticated => return Ok(None),
        Err(error) => return Err(error),
    };
    let concerned = claims.subject() == subject.client.into()
        || state.authorizer.is_at_or_below(claims.tenant_id, subject.tenant).await?;
    Ok((concerned && state.authorizer.is_live(&claims).await?).then_some(claims))
}

/// The response of RFC 7662, section 2.2, with our claims that a resource server needs to keep
/// tenants apart.
fn active(claims: &Claims) -> Value {
    let mut response = json!({
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
    if claims.subject_type == SubjectType::User {
        response["subject_type"] = json!(claims.subject_type);
        response["auth_time"] = json!(claims.auth_time);
        response["amr"] = json!(claims.amr);
    }
    if claims.tenant_only {
        response["tenant_only"] = true.into();
    }
    response
}
