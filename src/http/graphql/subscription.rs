//! Subscriptions. Each event is delivered only while the caller may still see it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::Response as GraphqlResponse;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::caller::{StreamSession, borrower};
use super::execute::panic_response;
use super::response_format::finalize;
use crate::auth::RequestId;
use crate::database::on_behalf_of;
use crate::error::Error;
use crate::http::state::AppState;

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
