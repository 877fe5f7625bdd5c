//! From a listener to the router.

use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower_service::Service;

use super::self_wakes;

/// Serves until told that all is `stopped`, then lets the requests in flight end.
pub async fn serve(mut listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    // Each connection holds on to it.
    let (all_ended, open) = watch::channel(());
    let told = stopped.clone();
    let accepting = async {
        loop {
            // It passes over connections that failed before they were one, and waits while too many files are open.
            let (stream, caller) = Listener::accept(&mut listener).await;
            let (router, told, open) = (router.clone(), told.clone(), open.clone());
            tokio::spawn(async move {
                self_wakes::absorbed(follow(stream, caller, router, told)).await;
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

/// Follows a connection to its end. How it ended is the caller's matter.
async fn follow(stream: TcpStream, caller: SocketAddr, router: Router, mut stopped: watch::Receiver<bool>) {
    // An answer is one write; waiting to fill a packet only delays it.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(caller));
        router.clone().call(request.map(Body::new))
    });
    let mut connection = pin!(Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        biased;
        _ = &mut connection => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    connection.await.ok();
}
