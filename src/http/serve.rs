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

use super::self_wakes;

/// How long the head of a request may take, counted from the answer before it or else from the connection's beginning. Proxies in
/// front commonly let a connection go that is idle for 60 s; they are to be the first to do so, lest a request crosses the end of its
/// connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// How long to wait while connections cannot be accepted.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Serves until told that all is `stopped`, then lets the requests in flight end.
pub async fn serve<F>(
    listener: TcpListener,
    answer: impl Fn(Request) -> F + Clone + Send + 'static,
    mut stopped: watch::Receiver<bool>,
) where
    F: Future<Output = Response> + Send + 'static,
{
    // Each connection holds on to it.
    let (all_ended, open) = watch::channel(());
    let told = stopped.clone();
    let accepting = async {
        loop {
            let (stream, caller) = accept(&listener).await;
            let (answer, told, open) = (answer.clone(), told.clone(), open.clone());
            tokio::spawn(async move {
                self_wakes::absorbed(follow(stream, caller, answer, told)).await;
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

/// Accepts the next connection. Passes over those that failed before they were accepted, and waits while the process or the
/// machine has too many open files, which it logs.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
            Err(error) => {
                tracing::error!(cause = %error, "no connection can be accepted; the next attempt is in a second");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

/// Follows a connection to its end. How it ended is the caller's matter.
async fn follow<F: Future<Output = Response>>(
    stream: TcpStream,
    caller: SocketAddr,
    answer: impl Fn(Request) -> F,
    mut stopped: watch::Receiver<bool>,
) {
    // An answer is one write; waiting to fill a packet only delays it.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(caller));
        answer(request.map(Body::new)).map(Ok::<_, Infallible>)
    });
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        biased;
        _ = &mut connection => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    connection.await.ok();
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, sleep};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n";

    /// A connection to a gateway that lasts as long as the other end.
    async fn connected() -> (TcpStream, watch::Sender<bool>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, async |_| Response::new(Body::from("here")), stopped));
        (TcpStream::connect(address).await.unwrap(), stop)
    }

    async fn answered(stream: &mut TcpStream) {
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{}", answer.escape_ascii());
        }
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
