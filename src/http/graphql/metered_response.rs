//! Responses with the permits for the memory that they take until the last byte is sent.

use std::sync::{Arc, Weak};

use async_graphql::Response as GraphqlResponse;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;
use tokio::time::interval;
use uuid::Uuid;

use super::operation_summary::OperationSummary;
use super::stream_session::{REAUTHORIZE_EVERY, StreamSession};
use crate::budget::{Budgets, Permit};
use crate::http::connection::Connection;
use crate::http::state::AppState;

/// A smaller response fits into the buffers of the kernel and is sent at once.
const WATCHED_SIZE: usize = 64 * 1024;

/// In bytes of JSON. A larger response is serialized on the bulk threads.
const LONG_SIZE: usize = 64 * 1024;

/// A GraphQL response and its share of the budget of responses.
pub struct MeteredResponse {
    /// The response.
    pub response: GraphqlResponse,
    /// About how many bytes of JSON it makes.
    pub size: usize,
    /// The permit for these bytes.
    pub permit: Option<Permit<Uuid>>,
    /// The summary for the log; `None` for an event and for errors of a stream.
    pub summary: Option<OperationSummary>,
}

impl From<GraphqlResponse> for MeteredResponse {
    /// A small response, which no budget counts.
    fn from(response: GraphqlResponse) -> Self {
        Self { response, size: 0, permit: None, summary: None }
    }
}

impl MeteredResponse {
    /// Serializes the response in any form; a large one on the bulk threads.
    pub async fn serialize<T: Send + 'static>(
        self,
        budgets: &Budgets,
        serialize: impl FnOnce(Self) -> T + Send + 'static,
    ) -> T {
        if self.size <= LONG_SIZE {
            return serialize(self);
        }
        // Boxed: keeps the cold path out of the hot future's size.
        budgets.bulk.run(async move { serialize(self) }).boxed().await
    }
}

/// The bytes of a response and the permits for them.
struct Unsent {
    bytes: Vec<u8>,
    _permits: Vec<Permit<Uuid>>,
}

struct SharedBytes(Arc<Unsent>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// The extension of a large response that shows whether it is still unsent.
#[derive(Clone)]
struct InFlight(Weak<Unsent>);

/// A buffer for a body of about that many bytes of JSON.
pub fn buffer(size: usize) -> Vec<u8> {
    Vec::with_capacity(size + size / 8 + 256)
}

/// Bytes that hold the permits that they need until they are sent; the rest is returned at once.
pub fn holding(bytes: Vec<u8>, permits: Vec<Permit<Uuid>>) -> Bytes {
    Bytes::from_owner(SharedBytes(unsent(bytes, permits)))
}

fn unsent(mut bytes: Vec<u8>, mut permits: Vec<Permit<Uuid>>) -> Arc<Unsent> {
    bytes.shrink_to_fit();
    let mut left = bytes.len();
    for permit in &mut permits {
        permit.shrink_to(left);
        left -= permit.units();
    }
    Arc::new(Unsent { bytes, _permits: permits })
}

/// An HTTP response that holds permits until it is sent.
pub fn http_response(
    status: StatusCode,
    content_type: HeaderValue,
    bytes: Vec<u8>,
    permits: Vec<Permit<Uuid>>,
) -> Response {
    let unsent = unsent(bytes, permits);
    let in_flight = (unsent.bytes.len() > WATCHED_SIZE).then(|| InFlight(Arc::downgrade(&unsent)));
    let mut response = Response::new(Body::from(Bytes::from_owner(SharedBytes(unsent))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    if let Some(in_flight) = in_flight {
        response.extensions_mut().insert(in_flight);
    }
    response
}

/// Closes the connection of a large response as soon as its caller loses the right to read it: a
/// slow reader must not keep it in memory beyond the life of client, token or role.
pub fn watch(
    state: &Arc<AppState>,
    response: &Response,
    connection: Option<&Connection>,
    session: impl FnOnce() -> StreamSession,
) {
    let Some(InFlight(unsent)) = response.extensions().get().cloned() else { return };
    let Some(connection) = connection.cloned() else { return };
    let state = state.clone();
    let session = session();
    tokio::spawn(async move {
        let mut ticks = interval(REAUTHORIZE_EVERY);
        loop {
            ticks.tick().await;
            if unsent.strong_count() == 0 {
                return;
            }
            let request_id = session.caller.context.request_id();
            if let Err(error) = session.reauthorize(&state, request_id).await {
                session.record_revoked(&state, &error);
                return connection.close();
            }
        }
    });
}
