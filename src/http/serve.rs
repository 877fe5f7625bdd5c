//! From a listener to requests, and from answers back to it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::connection::{Admission, Connection, ConnectionBudget};
use super::eager_repoll;
use super::write_timeout::WriteTimeout;

/// How long the head of a request may take, counted from the answer before it or else from the
/// connection's beginning. Proxies in front commonly let a connection go that is idle for 60 s;
/// they are to be the first to do so, lest a request crosses the end of its connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// How long to wait while connections cannot be accepted.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Serves until told that all is `stopped`, then lets the requests in flight end.
pub async fn serve<F>(
    listener: TcpListener,
    budget: ConnectionBudget,
    answer: impl Fn(Request) -> F + Clone + Send + 'static,
    mut stopped: watch::Receiver<bool>,
) where
    F: Future<Output = Response> + Send + 'static,
{
    // Each connection holds on to it.
    let (all_ended, open) = watch::channel(());
    let told = stopped.clone();
    let mut admission = Admission::new(budget);
    let accepting = async {
        loop {
            let (stream, caller) = accept(&listener).await;
            let Some(connection) = admission.admit(caller.ip()) else { continue };
            // An answer is one write; waiting to fill a packet only delays it.
            stream.set_nodelay(true).ok();
            let stream = WriteTimeout::new(stream, admission.write_timeout());
            let (answer, told, open) = (answer.clone(), told.clone(), open.clone());
            tokio::spawn(async move {
                eager_repoll::poll_until_idle(follow(stream, caller, connection, answer, told))
                    .await;
                drop(open);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    drop((listener, open));
    all_ended.closed().await;
}

/// Accepts the next connection. Passes over those that failed before they were accepted, and waits
/// while the process or the machine has too many open files, which it logs.
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
                tracing::error!(
                    cause = %error,
                    "accepting connections failed; the next attempt is in a second"
                );
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

/// Follows a connection to its end. How it ended is the caller's matter.
async fn follow<F: Future<Output = Response>>(
    stream: WriteTimeout<TcpStream>,
    caller: SocketAddr,
    connection: Connection,
    answer: impl Fn(Request) -> F,
    mut stopped: watch::Receiver<bool>,
) {
    let open = connection.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(caller));
        request.extensions_mut().insert(open.clone());
        answer(request.map(Body::new)).map(Ok::<_, Infallible>)
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

    /// A connection to a gateway that lasts as long as the other end.
    async fn connected() -> (TcpStream, watch::Sender<bool>) {
        let (address, stop) = listening(10, 10, |_| Body::from("here")).await;
        (TcpStream::connect(address).await.unwrap(), stop)
    }

    async fn listening(
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
        let answer = move |request: Request| {
            let response = Response::new(body(request.extensions().get().unwrap()));
            async move { response }
        };
        tokio::spawn(serve(listener, budget, answer, stopped));
        (address, stop)
    }

    async fn answered(stream: &mut TcpStream) {
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{}", answer.escape_ascii());
        }
    }

    #[tokio::test]
    async fn connections_of_one_address_leave_room_for_others() {
        let (address, _stop) = listening(20, 5, |_| Body::from("here")).await;
        let mut silent = Vec::new();
        for _ in 0..5 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            answered(&mut stream).await;
            silent.push(stream);
        }
        let mut refused = TcpStream::connect(address).await.unwrap();
        assert!(!matches!(refused.read(&mut [0]).await, Ok(1..)));
        let neighbour = tokio::net::TcpSocket::new_v4().unwrap();
        neighbour.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        answered(&mut neighbour.connect(address).await.unwrap()).await;
        drop(silent.pop());
        // The gateway sees the end a moment later.
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
    async fn connection_that_is_closed_from_within_ends_though_its_reader_takes_nothing() {
        let (address, _stop) = listening(10, 10, |connection| {
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
    async fn a_head_that_does_not_end_ends_its_connection() {
        let (mut stream, _stop) = connected().await;
        let started = Instant::now();
        for byte in &REQUEST[..20] {
            stream.write_all(&[*byte]).await.unwrap();
            sleep(Duration::from_secs(3)).await;
        }
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(started.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_used_stays_and_an_idle_one_ends() {
        let (mut stream, _stop) = connected().await;
        for _ in 0..5 {
            answered(&mut stream).await;
            sleep(HEAD_TIMEOUT - Duration::from_secs(5)).await;
        }
        answered(&mut stream).await;
        let answered = Instant::now();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        assert_eq!(answered.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
    }
}
