//! Subscriptions, each event of which is given on only while its caller may still see it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::Response as GraphqlResponse;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::super::AppState;
use super::caller::{StreamSession, borrower};
use super::execute::broken;
use super::outcome::finish;
use crate::auth::RequestId;
use crate::database::on_behalf_of;
use crate::error::Error;

/// A running subscription.
pub struct Subscription {
    stream: BoxStream<'static, GraphqlResponse>,
    caller: Arc<StreamSession>,
    request_id: RequestId,
    // Came, and is not yet judged: who waits may be interrupted in between.
    came: Option<GraphqlResponse>,
}

/// What comes next.
pub enum Next {
    /// An event.
    Event(GraphqlResponse),
    /// Nothing more.
    End,
    /// The caller may not follow any longer.
    Refused(Error),
}

impl Subscription {
    /// That stream, for that caller.
    pub fn new(
        stream: BoxStream<'static, GraphqlResponse>,
        caller: Arc<StreamSession>,
        request_id: RequestId,
    ) -> Self {
        // A fault of ours ends the one subscription.
        let stream = AssertUnwindSafe(stream)
            .catch_unwind()
            .map(|event| event.unwrap_or_else(|_| broken()))
            .boxed();
        Self { stream, caller, request_id, came: None }
    }

    /// Waits for the next event, and judges the caller before it is given on. No event is lost if
    /// the wait is broken off.
    pub async fn next(&mut self, state: &AppState) -> Next {
        if self.came.is_none() {
            let borrower = borrower(&self.caller.caller.context);
            self.came = on_behalf_of(borrower, self.stream.next()).await;
        }
        if self.came.is_none() {
            return Next::End;
        }
        if let Err(error) = self.caller.reauthorize(state, &self.request_id).await {
            return Next::Refused(error);
        }
        match self.came.take() {
            Some(event) => {
                Next::Event(finish(&self.request_id, state.graphql.limits.errors, event))
            }
            None => Next::End,
        }
    }
}
