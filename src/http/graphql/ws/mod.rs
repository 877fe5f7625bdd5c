//! WebSocket, in both protocols that are spoken over it.

mod credentials;
mod operations;
mod protocol;
mod socket;

use std::sync::Arc;

use axum::extract::WebSocketUpgrade;
use axum::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use super::super::AppState;
use super::super::address;
use super::super::connection::Connection;
use super::super::reply::HttpError;
use super::audit_records::record_refused;
use super::caller::AuthenticatedCaller;
use crate::auth::RequestId;
use crate::budget::{Account, Network, Permit};
use crate::error::{Error, ErrorCode, Result};
use protocol::Protocol;
use socket::{Slot, Socket};

/// The library's own buffers are a hundred times as large, for each socket.
const READ_BUFFER: usize = 4 * 1024;

/// Room for one more stream of an authenticated caller.
///
/// # Errors
/// `RATE_LIMITED` if the client, its tenant or the node has as many as its share of
/// `limits.streams` allows.
pub fn stream_slot(state: &AppState, account: Account<Uuid>) -> Result<Permit<Uuid>> {
    let refused = |_| {
        Error::new(
            ErrorCode::RateLimited,
            "your share of the open streams is in use: close some first",
        )
    };
    state.budgets.streams.try_take(account, 1).map_err(refused)
}

/// Room for one more WebSocket that has not said yet who it is.
///
/// # Errors
/// `RATE_LIMITED` if its address, or the node, has as many as it may.
fn socket_slot(state: &AppState, parts: &Parts) -> Result<Permit<Network>> {
    let address =
        address::of_caller(&state.trusted_proxies, parts.extensions.get(), &parts.headers);
    let refused = |_| {
        let message = "too many WebSockets of your address wait with connection_init: send it, or try again later";
        Error::new(ErrorCode::RateLimited, message)
    };
    state.budgets.sockets.try_take(Account::alone(address.into()), 1).map_err(refused)
}

/// Answers an upgrade. Who presents credentials with it is judged before the socket opens; who does
/// not, as no page in a browser can, is judged by the first message.
///
/// # Errors
/// 400 without a protocol that we speak or with credentials that contradict each other, 401, 403,
/// 429.
pub async fn upgrade(
    state: &Arc<AppState>,
    request_id: &RequestId,
    parts: &Parts,
    upgrade: WebSocketUpgrade,
) -> Result<Response, HttpError> {
    let headers = &parts.headers;
    let offered: Vec<_> = offered(headers).collect();
    let credential_headers = credentials::of_upgrade(headers, &offered)?;
    let caller = match credentials::is_empty(&credential_headers) {
        true => None,
        false => Some(
            AuthenticatedCaller::authenticate(state, request_id, &credential_headers)
                .await?
                .into_session(credential_headers),
        ),
    };
    if !state.cors.admits_socket(headers) {
        let error = Error::forbidden("pages of this origin may not open a WebSocket here");
        if let Some(caller) = &caller {
            record_refused(state, &caller.caller.context, None, "foreign_origin", &error).await;
        }
        return Err(error.into());
    }
    let protocol = offered.iter().find_map(|name| Protocol::of(name)).ok_or_else(|| {
        HttpError::with(
            StatusCode::BAD_REQUEST,
            "offer the WebSocket protocol graphql-transport-ws or graphql-ws",
        )
    })?;
    let slot = match &caller {
        Some(caller) => Slot::Stream(stream_slot(state, caller.caller.account())?),
        None => Slot::Unauthenticated(socket_slot(state, parts)?),
    };
    let connection = parts.extensions.get::<Connection>().cloned();
    let socket = Socket::new(state.clone(), protocol, caller, slot, connection);
    let largest = state.body_limit;
    let upgrade =
        upgrade.protocols([protocol.name()]).read_buffer_size(READ_BUFFER).write_buffer_size(0);
    let upgrade = upgrade.max_message_size(largest).max_frame_size(largest);
    let span = tracing::Span::current();
    Ok(upgrade.on_upgrade(move |stream| socket.serve(stream).instrument(span)))
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|line: &HeaderValue| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty())
}
