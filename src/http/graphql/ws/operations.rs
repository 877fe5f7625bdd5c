//! The operations that run on one socket.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::Instrument;
use uuid::Uuid;

use super::super::super::AppState;
use super::super::caller::StreamSession;
use super::super::execute::{RequestOptions, deadline, prepare, refused, run, subscribe};
use super::super::limits::too_costly;
use super::super::metered_response::MeteredResponse;
use super::super::outcome::failure_of;
use super::super::request::GraphqlRequest;
use super::super::subscription::{Next, Subscription};
use super::protocol::{Protocol, complete};
use crate::auth::RequestId;
use crate::budget::{Budgets, Permit};
use crate::error::Error;
use crate::ids::random_uuid;

/// Messages that wait for a slow reader. When they are full, the operations themselves wait.
pub const WAITING: usize = 16;

/// What an operation has to say.
pub enum OperationEvent {
    /// A message, of the operation with that id and number.
    Message(String, u64, Message),
    /// It has ended, with this as the last message, if there is one.
    Ended(String, u64, Option<Message>),
    /// The caller may not be here any longer.
    Refused(Error),
}

/// A message, and what it takes of the budget of responses until it is sent.
pub struct Message {
    /// The text.
    pub text: String,
    _permit: Option<Permit<Uuid>>,
}

impl From<String> for Message {
    /// A small one, which no budget counts.
    fn from(text: String) -> Self {
        Self { text, _permit: None }
    }
}

impl Message {
    fn holding(text: String, permit: Option<Permit<Uuid>>) -> Self {
        let shrunk = permit.map(|mut permit| {
            permit.shrink_to(text.len());
            permit
        });
        Self { text, _permit: shrunk }
    }
}

/// The operations, by the ids that the client gave them. Dropped, they stop.
pub struct Operations {
    running: HashMap<String, (u64, AbortHandle)>,
    // An id may be used again, and what the former operation of that id had yet to say must not be
    // taken for the new one's.
    number: u64,
    events: mpsc::Sender<OperationEvent>,
}

impl Operations {
    /// None yet; they will speak through `events`.
    pub fn new(events: mpsc::Sender<OperationEvent>) -> Self {
        Self { running: HashMap::new(), number: 0, events }
    }

    /// Whether one of that id runs.
    pub fn has(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    /// Whether that is still the operation of that id.
    pub fn is_current(&self, id: &str, number: u64) -> bool {
        self.running.get(id).is_some_and(|(current, _)| *current == number)
    }

    /// Begins one; a former one of that id stops.
    pub fn start(
        &mut self,
        state: &Arc<AppState>,
        caller: &Arc<StreamSession>,
        protocol: Protocol,
        id: String,
        request: GraphqlRequest,
    ) {
        self.stop(&id);
        self.number += 1;
        let too_many = self.running.len() >= state.graphql.limits.subscriptions;
        let sender = OperationSender {
            id: id.clone(),
            number: self.number,
            protocol,
            events: self.events.clone(),
            budgets: state.budgets.clone(),
        };
        let request_id = RequestId::from(random_uuid(&*state.entropy));
        let span = tracing::info_span!("operation", request_id = request_id.as_str());
        let task = speak(state.clone(), caller.clone(), request_id, request, sender, too_many);
        let task = tokio::spawn(task.instrument(span));
        self.running.insert(id, (self.number, task.abort_handle()));
    }

    /// Stops one, if it runs. A mutation ends all the same.
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

struct OperationSender {
    id: String,
    number: u64,
    protocol: Protocol,
    events: mpsc::Sender<OperationEvent>,
    budgets: Arc<Budgets>,
}

impl OperationSender {
    /// The message of a result.
    async fn result(&self, executed: MeteredResponse) -> Message {
        let protocol = self.protocol;
        let id = self.id.clone();
        let write = move |executed: MeteredResponse| {
            let text = protocol.result(&id, &executed.outcome);
            Message::holding(text, executed.permit)
        };
        executed.write(&self.budgets, write).await
    }

    async fn give(&self, executed: MeteredResponse) {
        let message = self.result(executed).await;
        self.events.send(OperationEvent::Message(self.id.clone(), self.number, message)).await.ok();
    }

    async fn end(self, last: Option<Message>) {
        self.events.send(OperationEvent::Ended(self.id, self.number, last)).await.ok();
    }

    /// A result that nothing follows.
    async fn give_last(self, executed: MeteredResponse) {
        if self.protocol.is_last(&executed.outcome) {
            let last = self.result(executed).await;
            return self.end(Some(last)).await;
        }
        self.give(executed).await;
        let last = complete(&self.id);
        self.end(Some(last.into())).await;
    }
}

async fn speak(
    state: Arc<AppState>,
    caller: Arc<StreamSession>,
    request_id: RequestId,
    request: GraphqlRequest,
    sender: OperationSender,
    too_many: bool,
) {
    let limits = &state.graphql.limits;
    if too_many {
        let error = too_costly("subscriptions", limits.subscriptions + 1, limits.subscriptions);
        return sender.give_last(refused(&state, &request_id, error).into()).await;
    }
    if let Err(exceeded) = caller.caller.take(&state, 1) {
        return sender
            .give_last(refused(&state, &request_id, failure_of(exceeded.error())).into())
            .await;
    }
    let context = match caller.reauthorize(&state, &request_id).await {
        Ok(context) => context,
        Err(error) => {
            sender.events.send(OperationEvent::Refused(error)).await.ok();
            return;
        }
    };
    match prepare(&state, &caller.caller, &context, request).await {
        Err(error) => sender.give_last(refused(&state, &request_id, error).into()).await,
        Ok(prepared) if prepared.kind == OperationType::Subscription => {
            let stream = subscribe(&state, &context, *prepared, &RequestOptions::default());
            follow(&state, Subscription::new(stream, caller, request_id), sender).await;
        }
        Ok(prepared) => {
            let outcome =
                run(&state, &context, prepared, deadline(&state), &RequestOptions::default()).await;
            sender.give_last(outcome).await;
        }
    }
}

async fn follow(state: &AppState, mut subscription: Subscription, sender: OperationSender) {
    loop {
        match subscription.next(state).await {
            Next::Event(outcome) if sender.protocol.is_last(&outcome) => {
                return sender.give_last(outcome.into()).await;
            }
            Next::Event(outcome) => sender.give(outcome.into()).await,
            Next::End => {
                let last = complete(&sender.id);
                return sender.end(Some(last.into())).await;
            }
            Next::Refused(error) => {
                sender.events.send(OperationEvent::Refused(error)).await.ok();
                return;
            }
        }
    }
}
