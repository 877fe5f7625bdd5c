//! The client for one base URL, which keeps its idle connections.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue};
use hyper::{Response, Uri};
use tokio::time::{Instant, sleep};

use super::connection::{Connection, HttpRequest};
use super::connector::Connector;
use super::hyper_failure::of_hyper;
use crate::outbound::failure::Failure;

/// Shorter than the idle timeout of most servers, so that a request is seldom sent on a connection
/// that the server is closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_IDLE_CONNECTIONS: usize = 64;

/// The HTTP client for one base URL of an installation. Clones share their connections.
#[derive(Clone)]
pub(in crate::outbound) struct Client(Arc<Connections>);

struct Connections {
    connector: Connector,
    idle: Mutex<Idle>,
}

/// The connections that no call uses.
#[derive(Default)]
struct Idle {
    /// With the time since when they are idle, in its order.
    connections: Vec<(Instant, Box<Connection>)>,
    /// Whether a task closes those that are idle for long.
    is_swept: bool,
}

impl Client {
    /// A client without connections.
    pub(super) fn new(connector: Connector) -> Self {
        Self(Arc::new(Connections { connector, idle: Mutex::default() }))
    }

    /// Sends a request and reads its response with `read`, to its end. Its URI begins with the
    /// client's base URL.
    ///
    /// # Errors
    /// `Unreachable`, `ConnectionLost`, `Malformed`, and those of `read`.
    pub(super) async fn call<T>(
        &self,
        request: HttpRequest,
        read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let uri = request.uri().clone();
        let mut request = in_origin_form(request);
        let (mut connection, response) = loop {
            let idle = self.idle_connection();
            let is_reused = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                None => self.connect(uri.clone()).await?,
            };
            match connection.send(request).await {
                Ok(response) => break (connection, response),
                Err(mut error) => match error.take_message() {
                    // The server closed the connection while it was idle.
                    Some(unsent) if is_reused => request = unsent,
                    _ => return Err(of_hyper(error.error())),
                },
            }
        };
        let read = connection.polled_with(read(response)).await?;
        self.keep(connection);
        Ok(read)
    }

    async fn connect(&self, uri: Uri) -> Result<Box<Connection>, Failure> {
        let stream = self.0.connector.connect(uri).await?;
        let connection = Connection::over(stream).await;
        connection.map(Box::new).map_err(|error| of_hyper(&error))
    }

    /// The connection that is idle for the shortest time.
    fn idle_connection(&self) -> Option<Box<Connection>> {
        loop {
            let (since, mut connection) = self.0.idle().connections.pop()?;
            if since.elapsed() < IDLE_TIMEOUT && connection.is_ready() {
                return Some(connection);
            }
            connection.close();
        }
    }

    /// Keeps a connection for another call, if it can have one.
    fn keep(&self, mut connection: Box<Connection>) {
        if !connection.is_ready() {
            return;
        }
        let mut idle = self.0.idle();
        if idle.connections.len() == MAX_IDLE_CONNECTIONS {
            connection.close();
            return;
        }
        idle.connections.push((Instant::now(), connection));
        if !mem::replace(&mut idle.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.0)));
        }
    }
}

impl Connections {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        self.connections.drain(..).for_each(|(_, connection)| connection.close());
    }
}

/// Closes connections that are idle for long, as long as there are idle ones.
async fn sweep(connections: Weak<Connections>) {
    loop {
        sleep(IDLE_TIMEOUT).await;
        let Some(connections) = connections.upgrade() else { return };
        let mut idle = connections.idle();
        let is_expired = |(since, _): &(Instant, _)| since.elapsed() >= IDLE_TIMEOUT;
        let expired = idle.connections.partition_point(is_expired);
        idle.connections.drain(..expired).for_each(|(_, connection)| connection.close());
        if idle.connections.is_empty() {
            idle.is_swept = false;
            return;
        }
    }
}

/// Puts a request in origin form: its target is the path with the query, and `Host` names the server
/// (RFC 9112, section 3.2).
fn in_origin_form(mut request: HttpRequest) -> HttpRequest {
    let uri = mem::take(request.uri_mut()).into_parts();
    if let Some(host) = uri.authority.and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        request.headers_mut().insert(HOST, host);
    }
    *request.uri_mut() = uri.path_and_query.map(Uri::from).unwrap_or_default();
    request
}
