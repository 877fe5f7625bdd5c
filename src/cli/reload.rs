//! `tenant-gateway reload`

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::http_client::{post, reachable};
use super::{Failure, Output};
use crate::config::Config;
use crate::error::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(30);

/// The options of `reload`.
#[derive(Args)]
pub struct Arguments {
    /// The address of the gateway's admin listener; that of the settings if absent.
    #[arg(long)]
    address: Option<SocketAddr>,
    #[command(flatten)]
    output: Output,
}

/// Lets the gateway reload, and prints which settings have other values now and which need a
/// restart.
pub async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let address = arguments.address.or(config.admin.listen).ok_or_else(|| {
        Error::internal("admin.listen is off: send SIGHUP to the process instead")
    })?;
    let (status, body) = post(reachable(address), "/reload", PATIENCE).await?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status != 200 {
        return Err(refused(status, &body).into());
    }
    let done = json!({ "applied": body["applied"], "needsRestart": body["needsRestart"] });
    Ok(arguments.output.object(&done)?)
}

fn refused(status: u16, body: &Value) -> Error {
    match body["message"].as_str() {
        Some(message) => Error::internal(format!("not reloaded: {message}")),
        None => Error::internal(format!(
            "not reloaded: status {status}; is this the admin listener of a gateway?"
        )),
    }
}
