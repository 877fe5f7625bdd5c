//! The device authorization endpoint (RFC 8628, section 3.1), and the grant of its codes at the
//! token endpoint (section 3.4).

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::response::Response;
use serde::Serialize;

use super::error::{OauthError, no_store};
use super::granted::Granted;
use super::{Request, json_ok};
use crate::auth::SubjectId;
use crate::device_authorization::{Approval, DeviceRequest, Polled, ProgramName, StartedRequest};
use crate::http::paths::DEVICE;
use crate::http::state::AppState;
use crate::ids::TenantId;
use crate::roles::Permissions;
use crate::secret::PlainSecret;
use crate::sessions::Visitor;
use crate::tokens::{Narrowing, SCOPE, UserSubject};

/// The grant type of device codes.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Seconds until a network that has too many open codes may try again: decided and ended ones make
/// room.
const RETRY_AFTER: u64 = 30;

/// The codes of a program (RFC 8628, section 3.2).
#[derive(Serialize)]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    /// In seconds.
    expires_in: u64,
    /// In seconds.
    interval: u64,
}

/// Serves the endpoint.
pub async fn authorize(request: Request) -> Response {
    let started = start_request(&request).await;
    started.unwrap_or_else(OauthError::into_response)
}

async fn start_request(request: &Request) -> Result<Response, OauthError> {
    let form = &request.form;
    let program = program(request)?;
    let tenant = form.get("tenant").map(str::parse::<TenantId>).transpose();
    let tenant = tenant.map_err(|_| OauthError::InvalidTarget)?;
    let scope = Permissions::requested(form.get("scope").unwrap_or(SCOPE));
    let scope = scope.ok_or(OauthError::InvalidScope)?.scope();
    start(&request.state, request.address, &request.headers, program, tenant, scope).await
}

/// Starts a request of a program, unless its network asks too often.
pub(super) async fn start(
    state: &AppState,
    address: IpAddr,
    headers: &HeaderMap,
    program: ProgramName,
    tenant: Option<TenantId>,
    scope: String,
) -> Result<Response, OauthError> {
    let now = state.authorizer.monotonic();
    if let Some(seconds) = state.device.starts.blocked("", address, now) {
        return Err(OauthError::TooManyDeviceCodes(seconds));
    }
    state.device.starts.failed("", address, now);
    let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let visitor = Visitor::new(address, user_agent.unwrap_or_default());
    let request = DeviceRequest {
        program,
        tenant,
        scope,
        address: visitor.address,
        user_agent: visitor.user_agent,
    };
    let started = state.devices.start(&request).await;
    let started = started.map_err(|error| OauthError::internal(&error))?;
    let started = started.ok_or(OauthError::TooManyDeviceCodes(RETRY_AFTER))?;
    Ok(no_store(json_ok(&shown(state, &started))))
}

fn shown(state: &AppState, started: &StartedRequest) -> Started {
    let verification_uri = format!("{}{DEVICE}", state.pages.url);
    let user_code = started.user_code.expose();
    Started {
        device_code: started.device_code.expose().to_owned(),
        verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
        user_code,
        verification_uri,
        expires_in: started.expires_in.as_secs(),
        interval: started.interval.as_secs(),
    }
}

/// Answers a poll of a program at the token endpoint.
pub(super) async fn grant(request: &Request) -> Result<Response, OauthError> {
    let program = program(request)?;
    let code = request.form.get("device_code");
    let code = code.ok_or(OauthError::InvalidRequest("device_code is required"))?;
    let code = PlainSecret::parse(code).ok_or(OauthError::InvalidDeviceCode)?;
    let polled = request.state.devices.poll(&code, &program).await;
    let polled = polled.map_err(|error| OauthError::internal(&error))?;
    let granted = redeem(&request.state, &approved(polled)?).await?;
    Ok(no_store(json_ok(&granted)))
}

/// The public program that a request names.
fn program(request: &Request) -> Result<ProgramName, OauthError> {
    let client_id = request.form.get("client_id");
    let client_id = client_id.ok_or(OauthError::InvalidRequest("client_id is required"))?;
    ProgramName::parse(client_id).ok_or(OauthError::InvalidRequest(
        "client_id must be the name of a public program: 1 to 64 characters of A-Z a-z 0-9 . _ -, \
         and not the client_id of a registered client",
    ))
}

/// The approval, or the error that a program is told (RFC 8628, section 3.5).
pub(super) fn approved(polled: Polled) -> Result<Approval, OauthError> {
    match polled {
        Polled::Approved(approval) => Ok(approval),
        Polled::Pending => Err(OauthError::AuthorizationPending),
        Polled::SlowDown => Err(OauthError::SlowDown),
        Polled::Expired => Err(OauthError::ExpiredToken),
        Polled::DeniedByPerson => Err(OauthError::AccessDenied),
        Polled::Unknown => Err(OauthError::InvalidDeviceCode),
    }
}

/// A token for an approval, which is then used up.
///
/// # Errors
/// `access_denied` if the person has meanwhile lost what the token would be for; `invalid_grant` if
/// another request was first.
pub(super) async fn redeem(state: &AppState, approval: &Approval) -> Result<Granted, OauthError> {
    let internal = |error| OauthError::internal(&error);
    let home = state.devices.home_of_approver(approval).await.map_err(internal)?;
    let home = home.ok_or(OauthError::AccessDenied)?;
    require_open(state, approval).await?;
    let user = UserSubject { user: approval.user, tenant: home, generation: approval.generation };
    let narrowing = Narrowing { tenant: approval.tenant, scope: approval.scope.clone() };
    let issued = state
        .issuer
        .issue_to_user(&user, &approval.program, &narrowing, &approval.authentication)
        .await
        .map_err(internal)?;
    // Signed before: a code is not used up by a token that nobody gets.
    if !state.devices.redeem(approval).await.map_err(internal)? {
        return Err(OauthError::InvalidDeviceCode);
    }
    Ok(Granted::new(issued, narrowing.scope))
}

/// Requires that the person still has a role in the tenant that was asked for, which covers the
/// scope.
async fn require_open(state: &AppState, approval: &Approval) -> Result<(), OauthError> {
    let subject = SubjectId::User(approval.user);
    let held = state.authorizer.grantable(subject, approval.tenant).await;
    let held = held.map_err(|error| OauthError::internal(&error))?;
    let wanted = Permissions::requested(&approval.scope).unwrap_or(Permissions::NONE);
    let is_open = match held {
        None => false,
        Some(held) => wanted == Permissions::ALL || held.covers(wanted),
    };
    if is_open { Ok(()) } else { Err(OauthError::AccessDenied) }
}
