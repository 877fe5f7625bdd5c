//! `tenant-gateway health`: for container health checks and for people.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{Failure, Output};
use crate::config::Config;
use crate::error::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(5);

/// The answer of a gateway is much shorter.
const BODY_MAX: usize = 16 * 1024;

/// Whom to ask.
#[derive(Args)]
pub struct Arguments {
    /// The address to ask; that of the settings if absent.
    #[arg(long)]
    address: Option<SocketAddr>,
    #[command(flatten)]
    output: Output,
}

/// Asks, prints the answer, and fails unless it is that the gateway is ready.
pub async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let address = reachable(arguments.address.unwrap_or(config.server.listen));
    let asked = tokio::time::timeout(PATIENCE, ask(address)).await;
    let (status, causes) =
        asked.map_err(|_| Error::internal(format!("{address} does not answer")))??;
    let ready = status == 200;
    arguments.output.object(&json!({ "address": address.to_string(), "ready": ready }))?;
    if ready {
        return Ok(());
    }
    Err(Error::internal(format!("not ready: status {status}{causes}")).into())
}

/// The status of the readiness check and its reasons.
async fn ask(address: SocketAddr) -> Result<(u16, String)> {
    let failed = |error: &dyn std::error::Error| {
        Error::internal(format!("{address} cannot be asked: {error}"))
    };
    let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let request =
        Request::get("/health/ready").header(HOST, address.to_string()).body(String::new());
    let request = request.map_err(Error::internal)?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), BODY_MAX)
            .collect()
            .await
            .map_err(|error| failed(&*error))?;
        Ok((status, causes(&body.to_bytes())))
    };
    let driver = async {
        connection.await.ok();
        // The connection closes after the response; without a response, the request's own error
        // explains the failure.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        answer = answer => answer,
        () = driver => unreachable!("the driver never ends"),
    }
}

/// The causes in the answer of the readiness check, each behind its check.
fn causes(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let causes = body["causes"].as_object().into_iter().flatten();
    causes.filter_map(|(check, cause)| Some(format!("; {check}: {}", cause.as_str()?))).collect()
}

/// A listener on all addresses is asked over loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port()))
        }
        _ => address,
    }
}
