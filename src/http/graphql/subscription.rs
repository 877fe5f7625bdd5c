//! Subscriptions. Each event is delivered only while the caller may still see it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Response as GraphqlResponse};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::Instant;
use uuid::Uuid;

use super::caller::borrower;
use super::execute::{RequestOptions, admit, deadline, panic_response, upstream_calls};
use super::operation_span::OperationSpan;
use super::prepare::PreparedOperation;
use super::response::finalize;
use super::stream_session::StreamSession;
use crate::auth::graphql::Loaders;
use crate::auth::{RequestContext, RequestId};
use crate::budget::{Permit, ResponseMeter};
use crate::database::on_behalf_of;
use crate::error::Error;
use crate::graphql;
use crate::http::state::AppState;

/// Far beyond the life of any token, with which a stream ends at the latest.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// Starts a subscription.
pub fn subscribe(
    state: &Arc<AppState>,
    context: &RequestContext,
    prepared: PreparedOperation,
    options: &RequestOptions,
) -> BoxStream<'static, GraphqlResponse> {
    let span = OperationSpan::begin(context, &prepared);
    let calls = span.in_scope(|| upstream_calls(state, context, options, Instant::now() + LONGEST));
    let events = EventAdmission {
        state: state.clone(),
        context: context.clone(),
        cost: prepared.cost.weight,
    };
    let request = Request::new("").data(context.clone()).data(calls);
    let request = request.data(events).data(Loaders::default());
    graphql::subscribe(
        &*state.graphql.executors.long,
        prepared.operation,
        &prepared.variables,
        request,
    )
}

/// Admits the events of a subscription: each is executed under the permits of an operation.
pub struct EventAdmission {
    state: Arc<AppState>,
    context: RequestContext,
    cost: u64,
}

impl EventAdmission {
    /// Waits for permits to execute one event, and for the beginning of its response.
    ///
    /// # Errors
    /// `RATE_LIMITED` if the caller's share or the node has no room in time.
    pub async fn admit(&self) -> Result<(Permit<Uuid>, Arc<ResponseMeter>), Error> {
        admit(&self.state, &self.context, self.cost, deadline(&self.state)).await
    }
}

/// A running subscription.
pub struct Subscription {
    events: BoxStream<'static, GraphqlResponse>,
    session: Arc<StreamSession>,
    request_id: RequestId,
    // Received, but the caller is not yet reauthorized: the wait may be cancelled in between.
    received: Option<GraphqlResponse>,
}

/// The next step of a subscription.
pub enum Next {
    /// An event.
    Event(GraphqlResponse),
    /// The subscription has ended.
    End,
    /// The caller may not follow the subscription any longer.
    Refused(Error),
}

impl Subscription {
    /// Delivers these events to that caller.
    pub fn new(
        events: BoxStream<'static, GraphqlResponse>,
        session: Arc<StreamSession>,
        request_id: RequestId,
    ) -> Self {
        // A panic ends this one subscription.
        let events = AssertUnwindSafe(events)
            .catch_unwind()
            .map(|event| event.unwrap_or_else(|_| panic_response()))
            .boxed();
        Self { events, session, request_id, received: None }
    }

    /// Waits for the next event and reauthorizes the caller before delivering it. Cancel safe: no
    /// event is lost.
    pub async fn next(&mut self, state: &AppState) -> Next {
        if self.received.is_none() {
            let borrower = borrower(&self.session.caller.context);
            self.received = on_behalf_of(borrower, self.events.next()).await;
        }
        if self.received.is_none() {
            return Next::End;
        }
        if let Err(error) = self.session.reauthorize(state, &self.request_id).await {
            return Next::Refused(error);
        }
        self.received.take().map_or(Next::End, |event| {
            let maximum = state.graphql.current().limits.errors;
            Next::Event(finalize(&self.request_id, maximum, event))
        })
    }
}
