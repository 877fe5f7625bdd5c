//! What came of an operation, and the permits of the memory that it takes until the last byte is
//! sent.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_graphql::Response as GraphqlResponse;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;
use serde::Serialize;
use tokio::time::interval;
use uuid::Uuid;

use super::super::AppState;
use super::super::connection::Connection;
use super::caller::StreamSession;
use crate::budget::{Budgets, Permit};

/// A smaller response fits the buffers of the kernel, and is gone before anybody could watch over
/// it.
const WATCHED: usize = 64 * 1024;

/// A longer outcome is written on the threads for long work, in bytes of JSON.
const LONG: usize = 64 * 1024;

/// How often the caller of a response that is not yet read is judged anew.
const JUDGED_EVERY: Duration = Duration::from_secs(1);

/// An outcome with what it holds of the node's budget.
pub struct MeteredResponse {
    /// What the caller is told.
    pub outcome: GraphqlResponse,
    /// About how many bytes of JSON it makes.
    pub size: usize,
    /// What it takes of the budget of responses.
    pub permit: Option<Permit<Uuid>>,
}

impl From<GraphqlResponse> for MeteredResponse {
    /// A small one, which no budget counts.
    fn from(outcome: GraphqlResponse) -> Self {
        Self { outcome, size: 0, permit: None }
    }
}

impl MeteredResponse {
    /// Writes the outcome, in whatever form; a long one on the threads for long work.
    pub async fn write<T: Send + 'static>(
        self,
        budgets: &Budgets,
        write: impl FnOnce(Self) -> T + Send + 'static,
    ) -> T {
        if self.size <= LONG {
            return write(self);
        }
        // Boxed: small outcomes do not carry the room of this path.
        budgets.bulk.run(async move { write(self) }).boxed().await
    }
}

/// Bytes of a response, and the permits that they take.
struct Sent {
    bytes: Vec<u8>,
    _permits: Vec<Permit<Uuid>>,
}

struct Shared(Arc<Sent>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// A response that is not yet sent; stands among the extensions of a large one.
#[derive(Clone)]
struct InFlight(Weak<Sent>);

/// Writes JSON into memory that was reserved for it.
pub fn write(json: &impl Serialize, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + size / 8 + 256);
    // It is made of maps with text keys, which always can be written.
    serde_json::to_writer(&mut bytes, json).unwrap_or_default();
    bytes
}

/// Bytes that hold permits until they are sent, and no more of them than they need.
pub fn holding(bytes: Vec<u8>, permits: Vec<Permit<Uuid>>) -> Bytes {
    Bytes::from_owner(Shared(sent(bytes, permits)))
}

fn sent(mut bytes: Vec<u8>, mut permits: Vec<Permit<Uuid>>) -> Arc<Sent> {
    bytes.shrink_to_fit();
    let mut left = bytes.len();
    for permit in &mut permits {
        permit.shrink_to(left);
        left -= permit.units();
    }
    Arc::new(Sent { bytes, _permits: permits })
}

/// A response of JSON that holds permits until it is sent.
pub fn respond(
    status: StatusCode,
    content_type: HeaderValue,
    bytes: Vec<u8>,
    permits: Vec<Permit<Uuid>>,
) -> Response {
    let sent = sent(bytes, permits);
    let in_flight = (sent.bytes.len() > WATCHED).then(|| InFlight(Arc::downgrade(&sent)));
    let mut response = Response::new(Body::from(Bytes::from_owner(Shared(sent))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    if let Some(in_flight) = in_flight {
        response.extensions_mut().insert(in_flight);
    }
    response
}

/// Closes the connection of a large response as soon as its caller may not read it any more:
/// whoever takes it slowly must not keep it in memory longer than their client, their token or
/// their right lasts.
pub fn watch(
    state: &Arc<AppState>,
    response: &Response,
    connection: Option<&Connection>,
    caller: impl FnOnce() -> StreamSession,
) {
    let (Some(InFlight(sent)), Some(connection)) =
        (response.extensions().get().cloned(), connection.cloned())
    else {
        return;
    };
    let state = state.clone();
    let caller = caller();
    tokio::spawn(async move {
        let mut judged = interval(JUDGED_EVERY);
        loop {
            judged.tick().await;
            if sent.strong_count() == 0 {
                return;
            }
            if let Err(error) = caller.reauthorize(&state, caller.caller.context.request_id()).await
            {
                caller.cut_off(&state, &error);
                return connection.close();
            }
        }
    });
}
