//! One request to a gateway that runs, for commands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::error::{Error, Result};

/// The answers of a gateway to its operator are much shorter.
const BODY_MAX: usize = 64 * 1024;

/// Sends GET; returns status and body of the answer.
///
/// # Errors
/// If there is no answer within `timeout`.
pub async fn get(address: SocketAddr, path: &str, timeout: Duration) -> Result<(u16, Bytes)> {
    send(address, Method::GET, path, timeout).await
}

/// Sends POST without a body; returns status and body of the answer.
///
/// # Errors
/// As [`get`].
pub async fn post(address: SocketAddr, path: &str, timeout: Duration) -> Result<(u16, Bytes)> {
    send(address, Method::POST, path, timeout).await
}

async fn send(
    address: SocketAddr,
    method: Method,
    path: &str,
    timeout: Duration,
) -> Result<(u16, Bytes)> {
    let answered = tokio::time::timeout(timeout, exchange(address, method, path)).await;
    answered.map_err(|_| Error::internal(format!("{address} does not answer")))?
}

async fn exchange(address: SocketAddr, method: Method, path: &str) -> Result<(u16, Bytes)> {
    let failed = |error: &dyn std::error::Error| {
        Error::internal(format!(
            "{address} cannot be asked: {error}; is the gateway running there?"
        ))
    };
    let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let request = Request::builder().method(method).uri(path).header(HOST, address.to_string());
    let request = request.body(String::new()).map_err(Error::internal)?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), BODY_MAX)
            .collect()
            .await
            .map_err(|error| failed(&*error))?;
        Ok((status, body.to_bytes()))
    };
    let driver = async {
        connection.await.ok();
        // The connection ends after the answer; without one the answer's own error tells why.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        answer = answer => answer,
        () = driver => unreachable!("the driver never ends"),
    }
}

/// The address at which a listener is reached: loopback for one on all addresses.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()))
        }
        _ => address,
    }
}
