//! The frames that a socket sends, and whether it continues after them.

use std::ops::ControlFlow;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::time::timeout;

use super::protocol::Close;
use crate::error::{Error, ErrorCode};

/// How long the client may take to read a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Continue, or end with that close; with `None` if the client has disconnected.
pub type Step = ControlFlow<Option<Close>>;

/// Ends the socket with that close.
pub const fn close(close: Close) -> Step {
    ControlFlow::Break(Some(close))
}

/// Sends a text.
pub async fn send_text(stream: &mut WebSocket, message: String) -> Step {
    send(stream, Message::Text(message.into())).await
}

/// Sends a message; a client that does not read it in time counts as disconnected.
pub async fn send(stream: &mut WebSocket, message: Message) -> Step {
    match timeout(SEND_TIMEOUT, stream.send(message)).await {
        Ok(Ok(())) => Step::Continue(()),
        _ => ControlFlow::Break(None),
    }
}

/// Makes an error of a step that ends the socket.
///
/// # Errors
/// The close.
pub fn require(step: Step) -> Result<(), Option<Close>> {
    match step {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(end) => Err(end),
    }
}

/// The close that tells the client of an error.
pub fn close_of(error: &Error) -> Close {
    match error.code() {
        ErrorCode::InternalServerError => {
            error.log_cause();
            Close::INTERNAL
        }
        ErrorCode::RateLimited => Close::TRY_AGAIN_LATER,
        _ => Close::FORBIDDEN,
    }
}
