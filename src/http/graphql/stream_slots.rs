//! How many streams and WebSockets may be open at once.

use axum::http::request::Parts;
use uuid::Uuid;

use crate::budget::{Account, Network, Permit};
use crate::error::{Error, ErrorCode, Result};
use crate::http::address;
use crate::http::state::AppState;

/// Reserves one more stream of an authenticated caller.
///
/// # Errors
/// `RATE_LIMITED` if the client, its tenant or the node has used up its share of `limits.streams`.
pub fn stream_slot(state: &AppState, account: Account<Uuid>) -> Result<Permit<Uuid>> {
    state.budgets.streams.try_take(account, 1).map_err(|_| {
        let message = "your share of open streams is in use; close some before opening more";
        Error::new(ErrorCode::RateLimited, message)
    })
}

/// Reserves one more WebSocket that has not authenticated yet.
///
/// # Errors
/// `RATE_LIMITED` if its address or the node has as many as are allowed.
pub fn unauthenticated_slot(state: &AppState, parts: &Parts) -> Result<Permit<Network>> {
    let address =
        address::of_client(&state.trusted_proxies, parts.extensions.get(), &parts.headers);
    let account = Account::alone(address.into());
    state.budgets.sockets.try_take(account, 1).map_err(|_| {
        let message = "too many WebSockets of your address have not sent connection_init; \
            send it, or retry later";
        Error::new(ErrorCode::RateLimited, message)
    })
}
