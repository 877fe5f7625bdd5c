//! Token revocation (RFC 7009): a client revokes one of its own tokens.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;

use super::Request;
use super::client_authentication::authenticate;
use super::denials::record_denial;
use super::error::{OauthError, no_store};
use crate::audit::EndpointChange;
use crate::auth::RequestId;
use crate::clients::Purpose;
use crate::database::Write;
use crate::error::{ErrorCode, Result};
use crate::http::state::AppState;
use crate::tokens::{Claims, Subject};

/// Serves the endpoint.
pub async fn handle(request: Request) -> Response {
    match revoke(&request).await {
        Ok(()) => {
            let mut response = no_store(Response::default());
            *response.status_mut() = StatusCode::OK;
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn revoke(request: &Request) -> Result<(), OauthError> {
    let state = &request.state;
    let subject = authenticate(request, "revoke", Purpose::Inquiry).await?;
    let token = request.form.get("token").ok_or(OauthError::InvalidRequest("token is required"))?;
    let claims = match state.verifier.verify(token).await {
        Ok(claims) => claims,
        // An invalid token needs no revocation (section 2.2).
        Err(error) if error.code() == ErrorCode::Unauthenticated => return Ok(()),
        Err(error) => return Err(OauthError::internal(&error)),
    };
    if claims.subject() != subject.client.into() {
        let error = OauthError::InvalidGrant;
        record_denial(request, &subject, "revoke", Some(claims.jti.to_string()), error).await;
        return Err(error);
    }
    revoke_token(state, &subject, &claims, &request.id)
        .await
        .map_err(|error| OauthError::internal(&error))
}

/// Revokes the token: here at once, on other nodes when they next read the database.
async fn revoke_token(
    state: &AppState,
    subject: &Subject,
    claims: &Claims,
    request_id: &RequestId,
) -> Result<()> {
    let revocations = state.authorizer.revocations();
    let change = EndpointChange {
        actor: subject.client.to_string(),
        tenant: subject.tenant,
        operation: "revoke",
        subject: claims.jti.to_string(),
        request_id: request_id.clone(),
    };
    let work = async |write: Arc<Write<'_>>| {
        if revocations.add(&write, claims).await? {
            state.audit.record_change(&write, change.clone()).await?;
        }
        Ok(())
    };
    state.database.transaction(work).await?;
    revocations.note(claims.jti);
    Ok(())
}
