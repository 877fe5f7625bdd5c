//! The operations that run on one socket.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::Instrument;
use uuid::Uuid;

use super::super::execute::{RequestOptions, deadline, error_response, reject, run};
use super::super::metered_response::MeteredResponse;
use super::super::operation_summary::StreamReport;
use super::super::prepare::prepare;
use super::super::request::GraphqlRequest;
use super::super::stream_session::StreamSession;
use super::super::subscription::{Next, Subscription, subscribe};
use super::protocol::{Protocol, complete};
use crate::auth::RequestId;
use crate::budget::Permit;
use crate::error::{Error, RequestErrors, request_error_of};
use crate::http::state::AppState;
use crate::http::state::graphql::limits::too_costly;
use crate::ids::random_uuid;

/// Messages that are queued for a slow reader. When the queue is full, the operations wait.
pub const QUEUE: usize = 16;

/// A message from an operation to its socket.
pub enum OperationEvent {
    /// A message of the operation with that id and number.
    Message(String, u64, OutgoingMessage),
    /// The operation has ended, perhaps with a last message.
    Ended(String, u64, Option<OutgoingMessage>),
    /// The caller is refused: the socket is to be closed.
    Refused(Error),
}

/// A message with the permit for its bytes, held until it is sent.
pub struct OutgoingMessage {
    /// The text.
    pub text: String,
    _permit: Option<Permit<Uuid>>,
}

impl From<String> for OutgoingMessage {
    /// A small message, which no budget counts.
    fn from(text: String) -> Self {
        Self { text, _permit: None }
    }
}

impl OutgoingMessage {
    fn holding(text: String, mut permit: Option<Permit<Uuid>>) -> Self {
        if let Some(permit) = &mut permit {
            permit.shrink_to(text.len());
        }
        Self { text, _permit: permit }
    }
}

/// The running operations by the ids that the client has chosen. Dropping this stops them.
pub struct Operations {
    running: HashMap<String, (u64, AbortHandle)>,
    // An id may be reused: messages of the former operation that are still queued must not be sent
    // as those of the new one.
    number: u64,
    events: mpsc::Sender<OperationEvent>,
}

impl Operations {
    /// No operations yet; they will send to `events`.
    pub fn new(events: mpsc::Sender<OperationEvent>) -> Self {
        Self { running: HashMap::new(), number: 0, events }
    }

    /// Whether an operation of that id is running.
    pub fn is_running(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    /// Whether the operation of that id is still the one of that number.
    pub fn is_current(&self, id: &str, number: u64) -> bool {
        self.running.get(id).is_some_and(|(current, _)| *current == number)
    }

    /// Starts an operation; a running operation of that id is stopped.
    pub fn start(
        &mut self,
        state: &Arc<AppState>,
        session: &Arc<StreamSession>,
        protocol: Protocol,
        id: String,
        request: GraphqlRequest,
    ) {
        self.stop(&id);
        self.number += 1;
        let too_many = self.running.len() >= state.graphql.current().limits.subscriptions;
        let request_id = RequestId::from(random_uuid(&*state.entropy));
        let span = tracing::info_span!("operation", request_id = request_id.as_str());
        let operation = RunningOperation {
            state: state.clone(),
            session: session.clone(),
            request_id,
            id: id.clone(),
            number: self.number,
            protocol,
            events: self.events.clone(),
        };
        let task = tokio::spawn(operation.serve(request, too_many).instrument(span));
        self.running.insert(id, (self.number, task.abort_handle()));
    }

    /// Stops the operation of that id, if it is running. A mutation that has begun still completes.
    pub fn stop(&mut self, id: &str) {
        if let Some((_, task)) = self.running.remove(id) {
            task.abort();
        }
    }
}

impl Drop for Operations {
    fn drop(&mut self) {
        self.running.values().for_each(|(_, task)| task.abort());
    }
}

/// One running operation. Its messages are lost once the socket is gone, which is no error.
struct RunningOperation {
    state: Arc<AppState>,
    session: Arc<StreamSession>,
    request_id: RequestId,
    id: String,
    number: u64,
    protocol: Protocol,
    events: mpsc::Sender<OperationEvent>,
}

impl RunningOperation {
    async fn serve(self, request: GraphqlRequest, too_many: bool) {
        if too_many {
            let maximum = self.state.graphql.current().limits.subscriptions;
            let error = too_costly("subscriptions", maximum + 1, maximum);
            return self.reject(error).await;
        }
        if let Err(exceeded) = self.session.caller.count_operations(&self.state, 1) {
            return self.reject(request_error_of(exceeded.error())).await;
        }
        let context = match self.session.reauthorize(&self.state, &self.request_id).await {
            Ok(context) => context,
            Err(error) => return self.refuse(error).await,
        };
        let state = self.state.clone();
        let mut report = StreamReport::begin(&state, "websocket");
        match prepare(&state, &self.session.caller, &context, request).await {
            Err(errors) => {
                let response = reject(&state, &context, errors);
                report.set(response.summary.clone());
                self.send_last(response).await;
            }
            Ok(prepared) if prepared.kind == OperationType::Subscription => {
                report.set(Some(prepared.summary.clone()));
                let events = subscribe(&state, &context, *prepared, &RequestOptions::default());
                let session = self.session.clone();
                let request_id = self.request_id.clone();
                self.follow(Subscription::new(events, session, request_id)).await;
            }
            Ok(prepared) => {
                let options = RequestOptions::default();
                let response = run(&state, &context, prepared, deadline(&state), &options).await;
                report.set(response.summary.clone());
                self.send_last(response).await;
            }
        }
    }

    async fn follow(self, mut subscription: Subscription) {
        loop {
            match subscription.next(&self.state).await {
                Next::Event(event) if self.protocol.is_last(&event) => {
                    return self.send_last(event.into()).await;
                }
                Next::Event(event) => self.send(event.into()).await,
                Next::End => {
                    let last = complete(&self.id);
                    return self.end(Some(last.into())).await;
                }
                Next::Refused(error) => return self.refuse(error).await,
            }
        }
    }

    async fn reject(self, errors: impl Into<RequestErrors>) {
        let response = error_response(&self.state, &self.request_id, errors);
        self.send_last(response.into()).await;
    }

    async fn refuse(self, error: Error) {
        self.events.send(OperationEvent::Refused(error)).await.ok();
    }

    async fn send(&self, metered: MeteredResponse) {
        let message = self.message(metered).await;
        let event = OperationEvent::Message(self.id.clone(), self.number, message);
        self.events.send(event).await.ok();
    }

    async fn send_last(self, metered: MeteredResponse) {
        if self.protocol.is_last(&metered.response) {
            let last = self.message(metered).await;
            return self.end(Some(last)).await;
        }
        self.send(metered).await;
        let last = complete(&self.id);
        self.end(Some(last.into())).await;
    }

    async fn end(self, last: Option<OutgoingMessage>) {
        self.events.send(OperationEvent::Ended(self.id, self.number, last)).await.ok();
    }

    async fn message(&self, metered: MeteredResponse) -> OutgoingMessage {
        let protocol = self.protocol;
        let id = self.id.clone();
        let serialize = move |metered: MeteredResponse| {
            let text = protocol.result(&id, &metered.response);
            OutgoingMessage::holding(text, metered.permit)
        };
        metered.serialize(&self.state.budgets, serialize).await
    }
}
