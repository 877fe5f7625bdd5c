//! `tenant-gateway health`: for container health checks and for people.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::http_client::{get, reachable};
use super::{Failure, Output};
use crate::config::Config;
use crate::error::Error;

const PATIENCE: Duration = Duration::from_secs(5);

/// The options of `health`.
#[derive(Args)]
pub struct Arguments {
    /// The address to ask; that of the settings if absent.
    #[arg(long)]
    address: Option<SocketAddr>,
    #[command(flatten)]
    output: Output,
}

/// Asks the readiness check and prints the result. Fails unless the gateway is ready.
pub async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let address = reachable(arguments.address.unwrap_or(config.server.listen));
    let (status, body) = get(address, "/health/ready", PATIENCE).await?;
    let ready = status == 200;
    arguments.output.object(&json!({ "address": address.to_string(), "ready": ready }))?;
    if ready {
        return Ok(());
    }
    Err(Error::internal(format!("not ready: status {status}{}", causes(&body))).into())
}

/// The causes in the answer of the readiness check, each behind its check.
fn causes(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let causes = body["causes"].as_object().into_iter().flatten();
    causes.filter_map(|(check, cause)| Some(format!("; {check}: {}", cause.as_str()?))).collect()
}
