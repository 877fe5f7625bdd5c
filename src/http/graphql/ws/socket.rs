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

use super::super::caller::AuthenticatedCaller;
use super::super::request::check_nesting;
use super::super::stream_session::StreamSession;
use super::super::stream_slots::stream_slot;
use super::credentials;
use super::frames::{Step, close, close_of, require, send, send_text};
use super::operations::{OperationEvent, Operations, QUEUE};
use super::protocol::{ClientMessage, Close, Protocol, acknowledged, connection_error, pong};
use crate::auth::RequestId;
use crate::budget::{Network, Permit};
use crate::error::Error;
use crate::http::connection::Connection;
use crate::http::state::{AppState, StreamGuard};
use crate::ids::random_uuid;

/// Shows whether the client is still there, and keeps proxies from closing an idle socket.
const PING_EVERY: Duration = Duration::from_secs(15);

/// How long the client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A socket that is about to open.
pub struct Socket {
    state: Arc<AppState>,
    protocol: Protocol,
    upgrade: UpgradeCredentials,
    guard: StreamGuard,
    slot: Slot,
    // Counts as a connection for as long as the socket is open.
    _connection: Option<Connection>,
}

/// The credentials that a socket was opened with.
pub enum UpgradeCredentials {
    /// They authenticate the caller.
    Complete(Box<StreamSession>),
    /// `connection_init` has to bring the rest: these are headers that a browser adds, such as the
    /// cookie, if there are any.
    Incomplete(HeaderMap),
}

impl UpgradeCredentials {
    fn headers(&self) -> &HeaderMap {
        match self {
            Self::Complete(session) => &session.credential_headers,
            Self::Incomplete(headers) => headers,
        }
    }
}

/// The budget permit that a socket holds.
pub enum Slot {
    /// The socket is not authenticated yet.
    Unauthenticated(
        #[expect(dead_code, reason = "held until the socket is authenticated")] Permit<Network>,
    ),
    /// The socket is a stream of an authenticated caller.
    Stream(#[expect(dead_code, reason = "held until the socket ends")] Permit<Uuid>),
}

/// A message received, or the end of the socket.
type Received = Option<Result<Message, axum::Error>>;

impl Socket {
    /// A socket with the credentials of its upgrade.
    pub fn new(
        state: Arc<AppState>,
        protocol: Protocol,
        upgrade: UpgradeCredentials,
        slot: Slot,
        connection: Option<Connection>,
    ) -> Self {
        let guard = state.streams.register();
        Self { state, protocol, upgrade, guard, slot, _connection: connection }
    }

    /// Serves the socket to its end, at shutdown no longer than the drain timeout.
    pub async fn serve(mut self, stream: WebSocket) {
        let drain_timeout = self.guard.drain_timeout_elapsed();
        tokio::select! {
            () = self.run(stream) => {}
            () = drain_timeout => {}
        }
    }

    async fn run(&mut self, mut stream: WebSocket) {
        let end = match self.initialise(&mut stream).await {
            Ok(session) => self.serve_session(&mut stream, Arc::new(session)).await,
            Err(end) => end,
        };
        let closed = async {
            if let Some(Close { code, reason }) = end {
                let frame = CloseFrame { code, reason: reason.into() };
                stream.send(Message::Close(Some(frame))).await.ok();
            }
            // Reading on also answers the client's close.
            while let Some(Ok(_)) = stream.recv().await {}
        };
        timeout(CLOSE_TIMEOUT, closed).await.ok();
    }

    /// Waits for `connection_init` and authenticates the caller.
    async fn initialise(&mut self, stream: &mut WebSocket) -> Result<StreamSession, Option<Close>> {
        let deadline = Instant::now() + self.state.graphql.current().limits.connection_init;
        loop {
            let received = tokio::select! {
                received = timeout_at(deadline, stream.recv()) => {
                    received.map_err(|_| Some(Close::INIT_TIMEOUT))?
                }
                () = self.guard.shutdown_requested() => return Err(Some(Close::GOING_AWAY)),
            };
            match self.parse(received)? {
                None | Some(ClientMessage::Pong) => {}
                Some(ClientMessage::Ping(payload)) => {
                    require(send_text(stream, pong(payload)).await)?;
                }
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
        let error = match self.authenticate(payload).await {
            Ok(session) => {
                require(send_text(stream, acknowledged()).await)?;
                return Ok(session);
            }
            Err(error) => error,
        };
        error.log_cause();
        if self.protocol == Protocol::Legacy {
            let message = connection_error(error.message(), error.code().as_str());
            require(send_text(stream, message).await)?;
        }
        Err(Some(close_of(&error)))
    }

    /// The session of the upgrade, or a new one if `connection_init` brings further credentials.
    async fn authenticate(&mut self, payload: &Map<String, Value>) -> Result<StreamSession, Error> {
        let none = UpgradeCredentials::Incomplete(HeaderMap::new());
        let upgrade = std::mem::replace(&mut self.upgrade, none);
        let credentials = credentials::of_init(upgrade.headers(), payload)?;
        if let UpgradeCredentials::Complete(session) = upgrade
            && credentials == session.credential_headers
        {
            return Ok(*session);
        }
        let request_id = RequestId::from(random_uuid(&*self.state.entropy));
        let caller =
            AuthenticatedCaller::authenticate(&self.state, &request_id, &credentials).await?;
        // The account may differ from that of the upgrade.
        self.slot = Slot::Stream(stream_slot(&self.state, caller.account())?);
        Ok(StreamSession::new(caller, credentials))
    }

    async fn serve_session(
        &mut self,
        stream: &mut WebSocket,
        session: Arc<StreamSession>,
    ) -> Option<Close> {
        let state = self.state.clone();
        tokio::select! {
            end = self.serve_operations(stream, &session) => end,
            error = session.revoked(&state) => self.refuse(&session, &error),
        }
    }

    async fn serve_operations(
        &mut self,
        stream: &mut WebSocket,
        session: &Arc<StreamSession>,
    ) -> Option<Close> {
        let (events, mut queue) = mpsc::channel(QUEUE);
        let mut operations = Operations::new(events);
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        loop {
            let step = tokio::select! {
                received = stream.recv() => {
                    self.handle(stream, session, &mut operations, received).await
                }
                Some(event) = queue.recv() => {
                    self.forward(stream, session, &mut operations, event).await
                }
                _ = pings.tick() => send(stream, Message::Ping(Bytes::new())).await,
                () = self.guard.shutdown_requested() => close(Close::GOING_AWAY),
            };
            if let ControlFlow::Break(end) = step {
                return end;
            }
        }
    }

    /// Handles a message of the client.
    async fn handle(
        &self,
        stream: &mut WebSocket,
        session: &Arc<StreamSession>,
        operations: &mut Operations,
        received: Received,
    ) -> Step {
        match self.parse(received) {
            Err(end) => ControlFlow::Break(end),
            Ok(None | Some(ClientMessage::Pong)) => Step::Continue(()),
            Ok(Some(ClientMessage::Ping(payload))) => send_text(stream, pong(payload)).await,
            Ok(Some(ClientMessage::Init(_))) => close(Close::TOO_MANY_INITS),
            // Servers of the older protocol replace the running operation.
            Ok(Some(ClientMessage::Start(id, _)))
                if self.protocol == Protocol::Transport && operations.is_running(&id) =>
            {
                close(Close::DUPLICATE_ID)
            }
            Ok(Some(ClientMessage::Start(id, request))) => {
                operations.start(&self.state, session, self.protocol, id, request);
                Step::Continue(())
            }
            Ok(Some(ClientMessage::Stop(id))) => {
                operations.stop(&id);
                Step::Continue(())
            }
            Ok(Some(ClientMessage::Terminate)) => close(Close::NORMAL),
        }
    }

    /// Forwards an event of an operation to the client; events of stopped operations are dropped.
    async fn forward(
        &self,
        stream: &mut WebSocket,
        session: &StreamSession,
        operations: &mut Operations,
        event: OperationEvent,
    ) -> Step {
        match event {
            OperationEvent::Message(id, number, message) if operations.is_current(&id, number) => {
                send_text(stream, message.text).await
            }
            OperationEvent::Ended(id, number, last) if operations.is_current(&id, number) => {
                operations.stop(&id);
                match last {
                    Some(last) => send_text(stream, last.text).await,
                    None => Step::Continue(()),
                }
            }
            OperationEvent::Message(..) | OperationEvent::Ended(..) => Step::Continue(()),
            OperationEvent::Refused(error) => ControlFlow::Break(self.refuse(session, &error)),
        }
    }

    /// Records that the caller has lost access, and gives the close that says so.
    fn refuse(&self, session: &StreamSession, error: &Error) -> Option<Close> {
        session.record_revoked(&self.state, error);
        Some(close_of(error))
    }

    /// Parses a message; `None` for one of WebSocket itself.
    fn parse(&self, received: Received) -> Result<Option<ClientMessage>, Option<Close>> {
        let bad = Some(Close::BAD_MESSAGE);
        match received {
            None | Some(Err(_) | Ok(Message::Close(_))) => Err(None),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(_))) => Err(bad),
            Some(Ok(Message::Text(text))) => {
                let maximum = self.state.graphql.current().limits.json_nesting;
                check_nesting(text.as_bytes(), maximum).map_err(|_| bad)?;
                self.protocol.read(&text).map(Some).ok_or(bad)
            }
        }
    }
}
