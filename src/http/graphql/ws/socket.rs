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

use super::super::super::AppState;
use super::super::super::connection::Connection;
use super::super::super::stream_registry::StreamGuard;
use super::super::caller::{AuthenticatedCaller, StreamSession};
use super::super::request::check_nesting;
use super::operations::{OperationEvent, Operations, WAITING};
use super::protocol::{ClientMessage, Close, Protocol, acknowledged, connection_error, pong};
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
    state: Arc<AppState>,
    protocol: Protocol,
    caller: Option<StreamSession>,
    guard: StreamGuard,
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
        state: Arc<AppState>,
        protocol: Protocol,
        caller: Option<StreamSession>,
        slot: Slot,
        connection: Option<Connection>,
    ) -> Self {
        let guard = state.streams.register();
        Self { state, protocol, caller, guard, slot, _connection: connection }
    }

    /// Serves the socket to its end, or until the process can wait no longer for a reader who takes
    /// nothing.
    pub async fn serve(mut self, stream: WebSocket) {
        let drain_timeout_elapsed = self.guard.drain_timeout_elapsed();
        tokio::select! {
            () = self.converse(stream) => {}
            () = drain_timeout_elapsed => {}
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
    async fn initialise(&mut self, stream: &mut WebSocket) -> Result<StreamSession, Option<Close>> {
        let deadline = Instant::now() + self.state.graphql.limits.connection_init;
        loop {
            let read = tokio::select! {
                read = timeout_at(deadline, stream.recv()) => read.map_err(|_| Some(Close::INIT_TIMEOUT))?,
                () = self.guard.shutdown_requested() => return Err(Some(Close::GOING_AWAY)),
            };
            match self.understand(read)? {
                None | Some(ClientMessage::Pong) => {}
                Some(ClientMessage::Ping(payload)) => said(send(stream, pong(payload)).await)?,
                Some(ClientMessage::Init(payload)) => return self.admit(stream, &payload).await,
                Some(ClientMessage::Start(..) | ClientMessage::Stop(_)) => {
                    return Err(Some(Close::UNAUTHORIZED));
                }
                Some(ClientMessage::Terminate) => return Err(Some(Close::NORMAL)),
            }
        }
    }

    async fn admit(
        &mut self,
        stream: &mut WebSocket,
        payload: &Map<String, Value>,
    ) -> Result<StreamSession, Option<Close>> {
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

    async fn enter(&mut self, payload: &Map<String, Value>) -> Result<StreamSession, Error> {
        let early = self.caller.take();
        let known =
            early.as_ref().map_or_else(HeaderMap::new, |caller| caller.credential_headers.clone());
        let credential_headers = credentials::of_init(&known, payload)?;
        match early.filter(|_| credential_headers == known) {
            Some(caller) => Ok(caller),
            None => {
                let request_id = RequestId::from(random_uuid(&*self.state.entropy));
                let caller = AuthenticatedCaller::authenticate(
                    &self.state,
                    &request_id,
                    &credential_headers,
                )
                .await?
                .into_session(credential_headers);
                // It may be another account than the one of the upgrade.
                self.slot = Slot::Stream(stream_slot(&self.state, caller.caller.account())?);
                Ok(caller)
            }
        }
    }

    async fn talk(&mut self, stream: &mut WebSocket, caller: Arc<StreamSession>) -> Option<Close> {
        let state = self.state.clone();
        tokio::select! {
            end = self.go_on(stream, &caller) => end,
            error = caller.refused(&state) => self.cut_off(&caller, &error),
        }
    }

    async fn go_on(
        &mut self,
        stream: &mut WebSocket,
        caller: &Arc<StreamSession>,
    ) -> Option<Close> {
        let (events, mut waiting) = mpsc::channel(WAITING);
        let mut operations = Operations::new(events);
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        loop {
            let step = tokio::select! {
                read = stream.recv() => self.hear(stream, caller, &mut operations, read).await,
                Some(event) = waiting.recv() => self.tell(stream, caller, &mut operations, event).await,
                _ = pings.tick() => put(stream, Message::Ping(Bytes::new())).await,
                () = self.guard.shutdown_requested() => close(Close::GOING_AWAY),
            };
            if let ControlFlow::Break(end) = step {
                return end;
            }
        }
    }

    async fn hear(
        &self,
        stream: &mut WebSocket,
        caller: &Arc<StreamSession>,
        operations: &mut Operations,
        read: Option<Result<Message, axum::Error>>,
    ) -> Step {
        match self.understand(read) {
            Err(end) => ControlFlow::Break(end),
            Ok(None | Some(ClientMessage::Pong)) => Step::Continue(()),
            Ok(Some(ClientMessage::Ping(payload))) => send(stream, pong(payload)).await,
            Ok(Some(ClientMessage::Init(_))) => close(Close::TOO_MANY_INITS),
            // The older protocol has no word against it: its server stops the former operation.
            Ok(Some(ClientMessage::Start(id, _)))
                if self.protocol == Protocol::Transport && operations.has(&id) =>
            {
                close(Close::TWICE)
            }
            Ok(Some(ClientMessage::Start(id, request))) => {
                operations.start(&self.state, caller, self.protocol, id, request);
                Step::Continue(())
            }
            Ok(Some(ClientMessage::Stop(id))) => {
                operations.stop(&id);
                Step::Continue(())
            }
            Ok(Some(ClientMessage::Terminate)) => close(Close::NORMAL),
        }
    }

    async fn tell(
        &self,
        stream: &mut WebSocket,
        caller: &StreamSession,
        operations: &mut Operations,
        event: OperationEvent,
    ) -> Step {
        match event {
            OperationEvent::Message(id, number, message) if operations.is_current(&id, number) => {
                send(stream, message.text).await
            }
            OperationEvent::Ended(id, number, last) if operations.is_current(&id, number) => {
                operations.stop(&id);
                match last {
                    Some(last) => send(stream, last.text).await,
                    None => Step::Continue(()),
                }
            }
            OperationEvent::Message(..) | OperationEvent::Ended(..) => Step::Continue(()),
            OperationEvent::Refused(error) => ControlFlow::Break(self.cut_off(caller, &error)),
        }
    }

    fn cut_off(&self, caller: &StreamSession, error: &Error) -> Option<Close> {
        caller.cut_off(&self.state, error);
        Some(close_of(error))
    }

    /// What a message says; nothing if it is one of the transport's own.
    fn understand(
        &self,
        read: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<ClientMessage>, Option<Close>> {
        let bad = Some(Close::BAD_MESSAGE);
        match read {
            None | Some(Err(_) | Ok(Message::Close(_))) => Err(None),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(_))) => Err(bad),
            Some(Ok(Message::Text(text))) => {
                check_nesting(text.as_bytes(), self.state.graphql.limits.json_nesting)
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
