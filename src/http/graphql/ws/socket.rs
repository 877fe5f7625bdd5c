//! One socket, from its first message to its close.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::http::HeaderMap;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, timeout, timeout_at};
use uuid::Uuid;

use super::super::super::Door;
use super::super::super::connection::Connection;
use super::super::super::guests::Guest;
use super::super::asked::check_nesting;
use super::super::caller::{Entered, Staying};
use super::operations::{Event, Operations, WAITING};
use super::protocol::{Close, Protocol, Said, acknowledged, connection_error, pong};
use super::{credentials, stream_slot};
use crate::auth::RequestId;
use crate::budget::{Network, Permit};
use crate::error::{Error, ErrorCode};
use crate::ids::random_uuid;

/// What shows whether the other side is still there, and keeps proxies from closing a quiet socket.
const PING_EVERY: Duration = Duration::from_secs(15);

/// Who takes nothing for this long is cut off.
const SEND: Duration = Duration::from_secs(10);

/// How long the other side may take to close after we did.
const CLOSING: Duration = Duration::from_secs(2);

/// A socket that is about to open.
pub struct Socket {
    door: Arc<Door>,
    protocol: Protocol,
    caller: Option<Staying>,
    guest: Guest,
    slot: Slot,
    // Counted as a connection for as long as it is open.
    _connection: Option<Connection>,
}

/// What a socket holds of the node's budget.
pub enum Slot {
    /// It has not said yet who it is.
    Unauthenticated(
        #[expect(dead_code, reason = "held until the socket is authenticated")] Permit<Network>,
    ),
    /// It is a stream of an authenticated caller.
    Stream(#[expect(dead_code, reason = "held until the socket ends")] Permit<Uuid>),
}

/// Goes on, or ends with that close; with none where the other side is gone.
type Step = ControlFlow<Option<Close>>;

const GONE: Step = ControlFlow::Break(None);

const fn close(close: Close) -> Step {
    ControlFlow::Break(Some(close))
}

impl Socket {
    /// With the caller, if the upgrade told who it is.
    pub fn new(
        door: Arc<Door>,
        protocol: Protocol,
        caller: Option<Staying>,
        slot: Slot,
        connection: Option<Connection>,
    ) -> Self {
        let guest = door.guests.enter();
        Self { door, protocol, caller, guest, slot, _connection: connection }
    }

    /// Serves the socket to its end, or until the process can wait no longer for a reader who takes
    /// nothing.
    pub async fn serve(mut self, stream: WebSocket) {
        let overstayed = self.guest.overstayed();
        tokio::select! {
            () = self.converse(stream) => {}
            () = overstayed => {}
        }
    }

    async fn converse(&mut self, mut stream: WebSocket) {
        let end = match self.initialise(&mut stream).await {
            Ok(caller) => self.talk(&mut stream, Arc::new(caller)).await,
            Err(end) => end,
        };
        let closed = async {
            if let Some(Close { code, reason }) = end {
                let frame = CloseFrame { code, reason: reason.into() };
                stream.send(Message::Close(Some(frame))).await.ok();
            }
            // To read on is also what answers the other side's close.
            while let Some(Ok(_)) = stream.recv().await {}
        };
        timeout(CLOSING, closed).await.ok();
    }

    /// Waits for `connection_init` and lets the caller in.
    async fn initialise(&mut self, stream: &mut WebSocket) -> Result<Staying, Option<Close>> {
        let deadline = Instant::now() + self.door.graphql.limits.connection_init;
        loop {
            let read = tokio::select! {
                read = timeout_at(deadline, stream.recv()) => read.map_err(|_| Some(Close::INIT_TIMEOUT))?,
                () = self.guest.asked_to_leave() => return Err(Some(Close::GOING_AWAY)),
            };
            match self.understand(read)? {
                None | Some(Said::Pong) => {}
                Some(Said::Ping(payload)) => said(send(stream, pong(payload)).await)?,
                Some(Said::Init(payload)) => return self.admit(stream, &payload).await,
                Some(Said::Start(..) | Said::Stop(_)) => return Err(Some(Close::UNAUTHORIZED)),
                Some(Said::Terminate) => return Err(Some(Close::NORMAL)),
            }
        }
    }

    async fn admit(
        &mut self,
        stream: &mut WebSocket,
        payload: &Map<String, Value>,
    ) -> Result<Staying, Option<Close>> {
        match self.enter(payload).await {
            Ok(caller) => {
                said(send(stream, acknowledged()).await)?;
                Ok(caller)
            }
            Err(error) => {
                error.log_cause();
                if self.protocol == Protocol::Legacy {
                    said(
                        send(stream, connection_error(error.message(), error.code().as_str()))
                            .await,
                    )?;
                }
                Err(Some(close_of(&error)))
            }
        }
    }

    async fn enter(&mut self, payload: &Map<String, Value>) -> Result<Staying, Error> {
        let early = self.caller.take();
        let known = early.as_ref().map_or_else(HeaderMap::new, |caller| caller.presented.clone());
        let presented = credentials::of_init(&known, payload)?;
        match early.filter(|_| presented == known) {
            Some(caller) => Ok(caller),
            None => {
                let request_id = RequestId::from(random_uuid(&*self.door.entropy));
                let caller =
                    Entered::enter(&self.door, &request_id, &presented).await?.stay(presented);
                // It may be another account than the one of the upgrade.
                self.slot = Slot::Stream(stream_slot(&self.door, caller.entered.account())?);
                Ok(caller)
            }
        }
    }

    async fn talk(&mut self, stream: &mut WebSocket, caller: Arc<Staying>) -> Option<Close> {
        let door = self.door.clone();
        tokio::select! {
            end = self.go_on(stream, &caller) => end,
            error = caller.refused(&door) => self.cut_off(&caller, &error),
        }
    }

    async fn go_on(&mut self, stream: &mut WebSocket, caller: &Arc<Staying>) -> Option<Close> {
        let (events, mut waiting) = mpsc::channel(WAITING);
        let mut operations = Operations::new(events);
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        loop {
            let step = tokio::select! {
                read = stream.recv() => self.hear(stream, caller, &mut operations, read).await,
                Some(event) = waiting.recv() => self.tell(stream, caller, &mut operations, event).await,
                _ = pings.tick() => put(stream, Message::Ping(Bytes::new())).await,
                () = self.guest.asked_to_leave() => close(Close::GOING_AWAY),
            };
            if let ControlFlow::Break(end) = step {
                return end;
            }
        }
    }

    async fn hear(
        &self,
        stream: &mut WebSocket,
        caller: &Arc<Staying>,
        operations: &mut Operations,
        read: Option<Result<Message, axum::Error>>,
    ) -> Step {
        match self.understand(read) {
            Err(end) => ControlFlow::Break(end),
            Ok(None | Some(Said::Pong)) => Step::Continue(()),
            Ok(Some(Said::Ping(payload))) => send(stream, pong(payload)).await,
            Ok(Some(Said::Init(_))) => close(Close::TOO_MANY_INITS),
            // The older protocol has no word against it: its server stops the former operation.
            Ok(Some(Said::Start(id, _)))
                if self.protocol == Protocol::Transport && operations.has(&id) =>
            {
                close(Close::TWICE)
            }
            Ok(Some(Said::Start(id, asked))) => {
                operations.start(&self.door, caller, self.protocol, id, asked);
                Step::Continue(())
            }
            Ok(Some(Said::Stop(id))) => {
                operations.stop(&id);
                Step::Continue(())
            }
            Ok(Some(Said::Terminate)) => close(Close::NORMAL),
        }
    }

    async fn tell(
        &self,
        stream: &mut WebSocket,
        caller: &Staying,
        operations: &mut Operations,
        event: Event,
    ) -> Step {
        match event {
            Event::Message(id, number, message) if operations.is_current(&id, number) => {
                send(stream, message.text).await
            }
            Event::Ended(id, number, last) if operations.is_current(&id, number) => {
                operations.stop(&id);
                match last {
                    Some(last) => send(stream, last.text).await,
                    None => Step::Continue(()),
                }
            }
            Event::Message(..) | Event::Ended(..) => Step::Continue(()),
            Event::Refused(error) => ControlFlow::Break(self.cut_off(caller, &error)),
        }
    }

    fn cut_off(&self, caller: &Staying, error: &Error) -> Option<Close> {
        caller.cut_off(&self.door, error);
        Some(close_of(error))
    }

    /// What a message says; nothing if it is one of the transport's own.
    fn understand(
        &self,
        read: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<Said>, Option<Close>> {
        let bad = Some(Close::BAD_MESSAGE);
        match read {
            None | Some(Err(_) | Ok(Message::Close(_))) => Err(None),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(_))) => Err(bad),
            Some(Ok(Message::Text(text))) => {
                check_nesting(text.as_bytes(), self.door.graphql.limits.json_nesting)
                    .map_err(|_| bad)?;
                self.protocol.read(&text).map(Some).ok_or(bad)
            }
        }
    }
}

async fn send(stream: &mut WebSocket, message: String) -> Step {
    put(stream, Message::Text(message.into())).await
}

async fn put(stream: &mut WebSocket, message: Message) -> Step {
    match timeout(SEND, stream.send(message)).await {
        Ok(Ok(())) => Step::Continue(()),
        _ => GONE,
    }
}

fn said(step: Step) -> Result<(), Option<Close>> {
    match step {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(end) => Err(end),
    }
}

fn close_of(error: &Error) -> Close {
    match error.code() {
        ErrorCode::InternalServerError => {
            error.log_cause();
            Close::INTERNAL
        }
        ErrorCode::RateLimited => Close::TRY_AGAIN_LATER,
        _ => Close::FORBIDDEN,
    }
}
