//! The operations that run on one socket.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::Instrument;
use uuid::Uuid;

use super::super::super::Door;
use super::super::asked::Asked;
use super::super::caller::Staying;
use super::super::execute::{Wishes, prepare, refused, run, subscribe};
use super::super::executed::Executed;
use super::super::limits::too_costly;
use super::super::outcome::failure_of;
use super::super::post::deadline;
use super::super::subscription::{Next, Subscription};
use super::protocol::{Protocol, complete};
use crate::auth::RequestId;
use crate::budget::Permit;
use crate::error::Error;
use crate::ids::random_uuid;

/// Messages that wait for a slow reader. When they are full, the operations themselves wait.
pub const WAITING: usize = 16;

/// What an operation has to say.
pub enum Event {
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
    events: mpsc::Sender<Event>,
}

impl Operations {
    /// None yet; they will speak through `events`.
    pub fn new(events: mpsc::Sender<Event>) -> Self {
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
        door: &Arc<Door>,
        caller: &Arc<Staying>,
        protocol: Protocol,
        id: String,
        asked: Asked,
    ) {
        self.stop(&id);
        self.number += 1;
        let too_many = self.running.len() >= door.graphql.limits.subscriptions;
        let speaker =
            Speaker { id: id.clone(), number: self.number, protocol, events: self.events.clone() };
        let request_id = RequestId::from(random_uuid(&*door.entropy));
        let span = tracing::info_span!("operation", request_id = request_id.as_str());
        let task = speak(door.clone(), caller.clone(), request_id, asked, speaker, too_many);
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

struct Speaker {
    id: String,
    number: u64,
    protocol: Protocol,
    events: mpsc::Sender<Event>,
}

impl Speaker {
    async fn give(&self, executed: Executed) {
        let text = self.protocol.result(&self.id, &executed.outcome);
        let message = Message::holding(text, executed.permit);
        self.events.send(Event::Message(self.id.clone(), self.number, message)).await.ok();
    }

    async fn end(self, last: Option<Message>) {
        self.events.send(Event::Ended(self.id, self.number, last)).await.ok();
    }

    /// A result that nothing follows.
    async fn give_last(self, executed: Executed) {
        if self.protocol.is_last(&executed.outcome) {
            let text = self.protocol.result(&self.id, &executed.outcome);
            return self.end(Some(Message::holding(text, executed.permit))).await;
        }
        self.give(executed).await;
        let last = complete(&self.id);
        self.end(Some(last.into())).await;
    }
}

async fn speak(
    door: Arc<Door>,
    caller: Arc<Staying>,
    request_id: RequestId,
    asked: Asked,
    speaker: Speaker,
    too_many: bool,
) {
    let limits = &door.graphql.limits;
    if too_many {
        let error = too_costly("subscriptions", limits.subscriptions + 1, limits.subscriptions);
        return speaker.give_last(refused(&door, &request_id, error).into()).await;
    }
    if let Err(too_often) = caller.entered.take(&door, 1) {
        return speaker
            .give_last(refused(&door, &request_id, failure_of(too_often.error())).into())
            .await;
    }
    let context = match caller.again(&door, &request_id).await {
        Ok(context) => context,
        Err(error) => {
            speaker.events.send(Event::Refused(error)).await.ok();
            return;
        }
    };
    match prepare(&door, &caller.entered, &context, asked).await {
        Err(error) => speaker.give_last(refused(&door, &request_id, error).into()).await,
        Ok(prepared) if prepared.kind == OperationType::Subscription => {
            let stream = subscribe(&door, &context, *prepared, &Wishes::default());
            follow(&door, Subscription::new(stream, caller, request_id), speaker).await;
        }
        Ok(prepared) => {
            let outcome = run(&door, &context, prepared, deadline(&door), &Wishes::default()).await;
            speaker.give_last(outcome).await;
        }
    }
}

async fn follow(door: &Door, mut subscription: Subscription, speaker: Speaker) {
    loop {
        match subscription.next(door).await {
            Next::Event(outcome) if speaker.protocol.is_last(&outcome) => {
                return speaker.give_last(outcome.into()).await;
            }
            Next::Event(outcome) => speaker.give(outcome.into()).await,
            Next::End => {
                let last = complete(&speaker.id);
                return speaker.end(Some(last.into())).await;
            }
            Next::Refused(error) => {
                speaker.events.send(Event::Refused(error)).await.ok();
                return;
            }
        }
    }
}
