//! The accept loop: serves the HTTP/1 connections of a listener.
//!
//! Not `axum::serve`: it has no timeout for the head of a request, no bound on connections, and
//! cannot close a connection whose peer reads nothing
//! (`docs/decisions/0004-own-accept-loop.md`).

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::connection::{Admission, Connection, ConnectionBudget};
use super::write_timeout::WriteTimeout;
use crate::eager_repoll;

/// How long the head of a request may take, counted from the previous response or else from the
/// start of the connection. Longer than the idle timeout of 60 s that is usual in reverse proxies:
/// if the gateway closed first, a request could arrive at a closed connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// The pause after a failed accept, such as with too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_secs(1);

/// Serves connections until `stopped`, then lets requests in flight end.
pub async fn serve<S>(
    listener: TcpListener,
    budget: ConnectionBudget,
    service: S,
    mut stopped: watch::Receiver<bool>,
) where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let connections = TaskTracker::new();
    let shutdown = stopped.clone();
    let mut admission = Admission::new(budget);
    let accepting = async {
        loop {
            let (stream, peer) = accept(&listener).await;
            let Some(connection) = admission.admit(peer.ip()) else { continue };
            // A response is one write: Nagle's algorithm would only delay it.
            stream.set_nodelay(true).ok();
            let stream = WriteTimeout::new(stream, admission.write_timeout());
            let served = drive(stream, peer, connection, service.clone(), shutdown.clone());
            connections.spawn(eager_repoll::poll_until_idle(served));
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Accepts the next connection. Skips connections that failed before they were accepted; logs any
/// other error, such as too many open files, and retries after a pause.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error)
                if matches!(
                    error.kind(),
                    ConnectionAborted | ConnectionRefused | ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(cause = %error, "accept failed; next attempt in 1 s");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// Drives a connection to its end. Its errors are the client's alone and are not reported.
async fn drive<S>(
    stream: WriteTimeout<TcpStream>,
    peer: SocketAddr,
    connection: Connection,
    service: S,
    mut stopped: watch::Receiver<bool>,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone,
{
    let open = connection.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(open.clone());
        service.clone().call(request.map(Body::new))
    });
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        biased;
        _ = &mut served => return,
        () = connection.closed() => return,
        _ = stopped.wait_for(|stopped| *stopped) => served.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = served => {}
        () = connection.closed() => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::budget::Pool;
    use crate::config::Networks;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n";

    /// A connection to a server that runs as long as the sender lives.
    async fn connect() -> (TcpStream, watch::Sender<bool>) {
        let (address, stop) = listen(10, 10, |_| Body::from("here")).await;
        (TcpStream::connect(address).await.unwrap(), stop)
    }

    async fn listen(
        connections: usize,
        per_address: usize,
        body: fn(&Connection) -> Body,
    ) -> (SocketAddr, watch::Sender<bool>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let budget = ConnectionBudget {
            pool: Pool::with_cap("connections", connections, per_address),
            trusted_proxies: Networks::default(),
            write_timeout: Duration::from_secs(30),
        };
        let service = tower::service_fn(move |request: Request| {
            let response = Response::new(body(request.extensions().get().unwrap()));
            async move { Ok(response) }
        });
        tokio::spawn(serve(listener, budget, service, stopped));
        (address, stop)
    }

    async fn exchange(stream: &mut TcpStream) {
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{}", answer.escape_ascii());
        }
    }

    #[tokio::test]
    async fn connections_of_one_address_do_not_use_up_the_budget() {
        let (address, _stop) = listen(20, 5, |_| Body::from("here")).await;
        let mut silent = Vec::new();
        for _ in 0..5 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            exchange(&mut stream).await;
            silent.push(stream);
        }
        let mut refused = TcpStream::connect(address).await.unwrap();
        assert!(!matches!(refused.read(&mut [0]).await, Ok(1..)));
        let neighbour = tokio::net::TcpSocket::new_v4().unwrap();
        neighbour.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        exchange(&mut neighbour.connect(address).await.unwrap()).await;
        drop(silent.pop());
        // The server sees the end of the connection a moment later.
        loop {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if stream.write_all(REQUEST).await.is_ok()
                && matches!(stream.read(&mut [0]).await, Ok(1..))
            {
                break;
            }
        }
    }

    #[tokio::test]
    async fn connection_closed_by_the_server_ends_though_its_peer_reads_nothing() {
        let (address, _stop) = listen(10, 10, |connection| {
            connection.close();
            Body::from(vec![b'x'; 64 * 1024 * 1024])
        })
        .await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut taken = Vec::new();
        stream.read_to_end(&mut taken).await.ok();
        assert!(taken.len() < 64 * 1024 * 1024, "{}", taken.len());
    }

    #[tokio::test(start_paused = true)]
    async fn unfinished_head_ends_its_connection() {
        let (mut stream, _stop) = connect().await;
        let started = Instant::now();
        for byte in &REQUEST[..20] {
            stream.write_all(&[*byte]).await.unwrap();
            sleep(Duration::from_secs(3)).await;
        }
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(started.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connection_ends_and_used_one_stays() {
        let (mut stream, _stop) = connect().await;
        for _ in 0..5 {
            exchange(&mut stream).await;
            sleep(HEAD_TIMEOUT.saturating_sub(Duration::from_secs(5))).await;
        }
        exchange(&mut stream).await;
        let idle_since = Instant::now();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        assert_eq!(idle_since.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
    }
}
