//! Token revocation (RFC 7009): a client, or a program that a person has approved, revokes one of
//! its own tokens.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;

use super::Request;
use super::client_authentication::authenticate;
use super::denials::record_denial;
use super::error::{OauthError, no_store};
use crate::audit::EndpointChange;
use crate::auth::SubjectId;
use crate::clients::Purpose;
use crate::database::Write;
use crate::device_authorization::ProgramName;
use crate::error::ErrorCode;
use crate::ids::TenantId;
use crate::tokens::Claims;

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
    if let Some(program) = public_program(request) {
        return revoke_of_person(request, &program).await;
    }
    let subject = authenticate(request, "revoke", Purpose::Inquiry).await?;
    let Some(claims) = verified(request).await? else { return Ok(()) };
    if claims.subject() != subject.client.into() {
        let error = OauthError::InvalidGrant;
        record_denial(request, &subject, "revoke", Some(claims.jti.to_string()), error).await;
        return Err(error);
    }
    revoke_token(request, &claims, subject.tenant).await
}

/// Revokes the token of a person for the public program that it was issued to: the program holds
/// the token and has nothing else to authenticate with (section 2.1).
async fn revoke_of_person(request: &Request, program: &ProgramName) -> Result<(), OauthError> {
    let Some(claims) = verified(request).await? else { return Ok(()) };
    let person = claims.subject();
    if !matches!(person, SubjectId::User(_)) || claims.client_id != program.as_str() {
        return Err(OauthError::InvalidGrant);
    }
    // Each revocation costs a write: it counts like a GraphQL operation.
    let taken = request.state.rate_limits.take_subject(person, 1);
    taken.map_err(|exceeded| OauthError::TooManyRequests(exceeded.retry_after))?;
    let home = request.state.authorizer.home_of(person).await;
    match home.map_err(|error| OauthError::internal(&error))? {
        Some(home) => revoke_token(request, &claims, home).await,
        // The token has ended with the person.
        None => Ok(()),
    }
}

/// The public program that a request without credentials names.
fn public_program(request: &Request) -> Option<ProgramName> {
    let form = &request.form;
    let credentials = ["client_secret", "client_assertion", "client_assertion_type"];
    let has_credentials = request.headers.contains_key(AUTHORIZATION)
        || credentials.into_iter().any(|name| form.has(name));
    form.get("client_id").filter(|_| !has_credentials).and_then(ProgramName::parse)
}

/// The claims of the token; nothing for an invalid one, which needs no revocation (section 2.2).
async fn verified(request: &Request) -> Result<Option<Arc<Claims>>, OauthError> {
    let token = request.form.get("token").ok_or(OauthError::InvalidRequest("token is required"))?;
    match request.state.verifier.verify(token).await {
        Ok(claims) => Ok(Some(claims)),
        Err(error) if error.code() == ErrorCode::Unauthenticated => Ok(None),
        Err(error) => Err(OauthError::internal(&error)),
    }
}

/// Revokes the token of a subject that belongs to the tenant: here at once, on other nodes when
/// they next read the database.
async fn revoke_token(
    request: &Request,
    claims: &Claims,
    home: TenantId,
) -> Result<(), OauthError> {
    let state = &request.state;
    let revocations = state.authorizer.revocations();
    let change = EndpointChange {
        actor: claims.sub.to_string(),
        tenant: home,
        operation: "revoke",
        subject: claims.jti.to_string(),
        request_id: request.id.clone(),
    };
    let work = async |write: Arc<Write<'_>>| {
        if revocations.add(&write, claims).await? {
            state.audit.record_change(&write, change.clone()).await?;
        }
        Ok(())
    };
    let stored = state.database.transaction(work).await;
    stored.map_err(|error| OauthError::internal(&error))?;
    revocations.note(claims.jti);
    Ok(())
}
