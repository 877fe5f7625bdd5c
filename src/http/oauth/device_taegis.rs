//! The device authorization of the Taegis SDK: it does not poll, but sends one request that is held
//! until the person has decided (`docs/reference/taegis-client-contract.md`, section 4).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::device::{approved, redeem, start};
use super::error::{OauthError, method_not_allowed, no_store};
use super::json_ok;
use crate::budget::Account;
use crate::device_authorization::{Approval, Polled, ProgramName};
use crate::error::Error;
use crate::http::address;
use crate::http::body::{self, is_encoded, is_json};
use crate::http::state::AppState;
use crate::secret::PlainSecret;
use crate::tokens::SCOPE;

/// In bytes. A request has about a hundred.
const BODY_LIMIT: usize = 4 * 1024;

/// Seconds until a network that has too many held requests may try again.
const RETRY_AFTER: u64 = 5;

/// A request of the SDK, sent by POST.
pub struct SdkRequest {
    address: IpAddr,
    headers: HeaderMap,
    body: Body,
}

impl FromRequest<Arc<AppState>> for SdkRequest {
    type Rejection = Response;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        if parts.method != Method::POST {
            return Err(method_not_allowed());
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = address::of_client(&state.trusted_proxies, peer, &parts.headers);
        Ok(Self { address, headers: parts.headers, body })
    }
}

/// The body of the second request. Its `interval` is a hint for a server that polls another one.
#[derive(Deserialize)]
struct HeldRequest {
    device_code: String,
}

/// Serves the first request, which has no body: the codes.
pub async fn code(State(state): State<Arc<AppState>>, request: SdkRequest) -> Response {
    let SdkRequest { address, headers, .. } = request;
    let program = ProgramName::taegis_sdk();
    let started = start(&state, address, &headers, program, None, SCOPE.to_owned()).await;
    started.unwrap_or_else(OauthError::into_response)
}

/// Serves the second request: the token, once the person has approved.
pub async fn token(State(state): State<Arc<AppState>>, request: SdkRequest) -> Response {
    match wait_for_token(&state, request).await {
        Ok(response) => {
            state.metrics.count_token_request("issued");
            response
        }
        Err(error) => {
            state.metrics.count_token_request(error.code());
            error.into_response()
        }
    }
}

async fn wait_for_token(state: &AppState, request: SdkRequest) -> Result<Response, OauthError> {
    let address = request.address;
    let code = read(state, request).await?;
    let approval = wait(state, address, &code).await?;
    Ok(no_store(json_ok(&redeem(state, &approval).await?)))
}

async fn read(state: &AppState, request: SdkRequest) -> Result<PlainSecret, OauthError> {
    if !is_json(&request.headers) {
        return Err(OauthError::InvalidRequest("the Content-Type must be application/json"));
    }
    if is_encoded(&request.headers) {
        return Err(OauthError::EncodedBody);
    }
    let bytes = body::read(request.body, BODY_LIMIT, state.body_timeout).await;
    let bytes = bytes
        .map_err(|_| OauthError::InvalidRequest("the body is too large, too slow or malformed"))?;
    let body: HeldRequest = serde_json::from_slice(&bytes).map_err(|_| {
        OauthError::InvalidRequest("the body must be a JSON object with the text `device_code`")
    })?;
    PlainSecret::parse(&body.device_code).ok_or(OauthError::InvalidDeviceCode)
}

/// Waits until the code is decided, at most for the time of the settings. The future is dropped when
/// the client leaves, and holds neither a thread nor a connection to the database while it waits.
async fn wait(
    state: &AppState,
    address: IpAddr,
    code: &PlainSecret,
) -> Result<Approval, OauthError> {
    let internal = |error: Error| OauthError::internal(&error);
    let permit = state.device.held.try_take(Account::alone(address.into()), 1);
    let _permit = permit.map_err(|_| OauthError::TooManyDeviceCodes(RETRY_AFTER))?;
    let guard = state.streams.register();
    let held = state.devices.hold(code).await.map_err(internal)?;
    let held = held.ok_or(OauthError::InvalidDeviceCode)?;
    let program = ProgramName::taegis_sdk();
    let deadline = Instant::now() + state.device.hold;
    loop {
        // Registered before the database is asked: no decision falls in between.
        let decided = held.decided();
        match state.devices.look(code, &program).await.map_err(internal)? {
            Polled::Pending => {}
            polled => return approved(polled),
        }
        tokio::select! {
            () = decided => {}
            () = sleep_until(deadline) => return Err(OauthError::AuthorizationPending),
            // The code stays good: the program may ask another node.
            () = guard.shutdown_requested() => return Err(OauthError::Unavailable),
        }
    }
}
