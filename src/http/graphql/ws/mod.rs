//! WebSockets, in both GraphQL protocols.
//!
//! `async-graphql-axum` negotiates the protocol. Its `GraphQLWebSocket` is not used: it has no
//! limits of messages, operations and slow readers, cannot end a stream whose caller loses access,
//! and accepts the messages of either protocol in both
//! (`docs/decisions/0005-async-graphql-axum.md`).

mod credentials;
mod frames;
mod operations;
mod protocol;
mod socket;

use std::sync::Arc;

use async_graphql::http::ALL_WEBSOCKET_PROTOCOLS;
use async_graphql_axum::GraphQLProtocol;
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use tracing::Instrument;

use super::audit_records::record_refused;
use super::caller::AuthenticatedCaller;
use super::stream_session::StreamSession;
use super::stream_slots::{stream_slot, unauthenticated_slot};
use crate::auth::RequestId;
use crate::error::Error;
use crate::http::connection::Connection;
use crate::http::http_error::HttpError;
use crate::http::state::AppState;
use protocol::Protocol;
use socket::{Slot, Socket, UpgradeCredentials};

/// The default of the library is a hundred times as large, for each socket.
const READ_BUFFER: usize = 4 * 1024;

/// Answers an upgrade. A caller with credentials in the upgrade is authenticated before the socket
/// opens; without any, as in a browser, `connection_init` has to bring them.
///
/// # Errors
/// 400 without a known subprotocol or with contradicting credentials, 401, 403, 429.
pub async fn upgrade(
    state: &Arc<AppState>,
    request_id: &RequestId,
    parts: &mut Parts,
    upgrade: WebSocketUpgrade,
) -> Result<Response, HttpError> {
    let offered = offered(&parts.headers);
    let credentials = credentials::of_upgrade(&parts.headers, &offered)?;
    let opened_with = if credentials::is_empty(&credentials) {
        UpgradeCredentials::Incomplete(credentials)
    } else {
        let caller = AuthenticatedCaller::authenticate(state, request_id, &credentials).await?;
        UpgradeCredentials::Complete(Box::new(StreamSession::new(caller, credentials)))
    };
    if !state.cors.load().admits_socket(&parts.headers) {
        let error = Error::forbidden("this origin is not allowed to open a WebSocket");
        if let UpgradeCredentials::Complete(session) = &opened_with {
            record_refused(state, &session.caller.context, None, "foreign_origin", &error).await;
        }
        return Err(error.into());
    }
    let protocol = negotiate(parts, offered).await?;
    let slot = match &opened_with {
        UpgradeCredentials::Complete(session) => {
            Slot::Stream(stream_slot(state, session.caller.account())?)
        }
        UpgradeCredentials::Incomplete(_) => {
            Slot::Unauthenticated(unauthenticated_slot(state, parts)?)
        }
    };
    let connection = parts.extensions.get::<Connection>().cloned();
    let socket = Socket::new(state.clone(), protocol, opened_with, slot, connection);
    let upgrade = upgrade
        .protocols([protocol.name()])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(state.body_limit)
        .max_frame_size(state.body_limit);
    let span = tracing::Span::current();
    Ok(upgrade.on_upgrade(move |stream| socket.serve(stream).instrument(span)))
}

/// Chooses the first subprotocol offered that is known.
///
/// # Errors
/// 400 if none is known.
async fn negotiate(parts: &mut Parts, offered: Vec<String>) -> Result<Protocol, HttpError> {
    let unknown = || {
        let message = "offer the WebSocket subprotocol graphql-transport-ws or graphql-ws";
        HttpError::with(StatusCode::BAD_REQUEST, message)
    };
    // The extractor reads one line; several mean the same (RFC 6455, section 11.3.4).
    let line = HeaderValue::try_from(offered.join(", ")).map_err(|_| unknown())?;
    parts.headers.insert(SEC_WEBSOCKET_PROTOCOL, line);
    GraphQLProtocol::from_request_parts(parts, &()).await.map_err(|_| unknown())?;
    // The extractor does not tell its choice, and ignores letter case, which counts in an answer.
    let known = offered.iter().find(|name| ALL_WEBSOCKET_PROTOCOLS.contains(&name.as_str()));
    known.and_then(|name| Protocol::named(name)).ok_or_else(unknown)
}

/// The subprotocols that the client offers, over all lines of the header.
fn offered(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let names = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    names.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;

    use super::*;

    async fn chosen(lines: &[&str]) -> Option<Protocol> {
        let (mut parts, _) = Request::new(Body::empty()).into_parts();
        for line in lines {
            parts.headers.append(SEC_WEBSOCKET_PROTOCOL, line.parse().unwrap());
        }
        let offered = offered(&parts.headers);
        negotiate(&mut parts, offered).await.ok()
    }

    #[tokio::test]
    async fn first_known_subprotocol_is_chosen() {
        for (lines, protocol) in [
            (&["graphql-transport-ws"][..], Some(Protocol::Transport)),
            (&["graphql-ws, graphql-transport-ws"], Some(Protocol::Legacy)),
            (&["x-tenant-context-7, graphql-ws, access-token-a"], Some(Protocol::Legacy)),
            (&["access-token-a", "graphql-transport-ws"], Some(Protocol::Transport)),
            (&["GraphQL-WS, graphql-transport-ws"], Some(Protocol::Transport)),
            (&["GraphQL-WS"], None),
            (&["access-token-a"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(chosen(lines).await, protocol, "{lines:?}");
        }
    }
}
