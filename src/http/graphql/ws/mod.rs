//! WebSocket, in both protocols that are spoken over it.

mod credentials;
mod operations;
mod protocol;
mod socket;

use std::sync::Arc;

use axum::extract::WebSocketUpgrade;
use axum::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tracing::Instrument;

use super::super::Door;
use super::super::guests::Guest;
use super::super::reply::Refused;
use super::caller::Entered;
use super::refusals::record_refused;
use crate::auth::RequestId;
use crate::error::{Error, ErrorCode};
use protocol::Protocol;
use socket::Socket;

/// The library's own buffers are a hundred times as large, for each socket.
const READ_BUFFER: usize = 4 * 1024;

/// One more stream, if there is room for it.
///
/// # Errors
/// 429 if there are as many as `limits.streams` allows.
pub fn room_for_one_more(door: &Door) -> Result<Guest, Refused> {
    if door.guests.count() >= door.graphql.limits.streams {
        return Err(Error::new(ErrorCode::RateLimited, "too many open streams: try again later").into());
    }
    Ok(door.guests.enter())
}

/// Answers an upgrade. Who presents credentials with it is judged before the socket opens; who does not, as no page in a
/// browser can, is judged by the first message.
///
/// # Errors
/// 400 without a protocol that we speak or with credentials that contradict each other, 401, 403, 429.
pub async fn upgrade(
    door: &Arc<Door>,
    request_id: &RequestId,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let offered: Vec<_> = offered(headers).collect();
    let presented = credentials::of_upgrade(headers, &offered)?;
    let caller = match credentials::is_empty(&presented) {
        true => None,
        false => Some(Entered::enter(door, request_id, &presented).await?.stay(presented)),
    };
    if !door.cors.admits_socket(headers) {
        let error = Error::forbidden("pages of this origin may not open a WebSocket here");
        if let Some(caller) = &caller {
            record_refused(door, &caller.entered.context, None, "foreign_origin", &error).await;
        }
        return Err(error.into());
    }
    let protocol = offered.iter().find_map(|name| Protocol::of(name)).ok_or_else(|| {
        Refused::with(StatusCode::BAD_REQUEST, "offer the WebSocket protocol graphql-transport-ws or graphql-ws")
    })?;
    let guest = room_for_one_more(door)?;
    let socket = Socket::new(door.clone(), protocol, caller, guest);
    let largest = door.body_limit;
    let upgrade = upgrade.protocols([protocol.name()]).read_buffer_size(READ_BUFFER).write_buffer_size(0);
    let upgrade = upgrade.max_message_size(largest).max_frame_size(largest);
    let span = tracing::Span::current();
    Ok(upgrade.on_upgrade(move |stream| socket.serve(stream).instrument(span)))
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line: &HeaderValue| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty())
}
