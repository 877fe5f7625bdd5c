//! `tenant-gateway simulate`: a stand-in for a legacy console, so that partners can build and test without an appliance.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use tenant_gateway_simulators::deep_security::{self, Dialect, Options};

use super::Failure;
use super::serve::told_to_stop;

/// Which console.
#[derive(Subcommand)]
pub enum Command {
    /// Trend Micro Deep Security Manager, with a primary tenant and customers; prints their secret keys as JSON.
    DeepSecurity(DeepSecurity),
}

/// What the manager holds.
#[derive(Args)]
pub struct DeepSecurity {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4119")]
    listen: SocketAddr,
    /// Customers beside the primary tenant.
    #[arg(long, default_value_t = 3)]
    tenants: usize,
    /// Computers of each tenant.
    #[arg(long, default_value_t = 25)]
    computers: usize,
    /// Decides every GUID and secret.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How the questions are answered that the vendor's pages leave open: `default` or `other`.
    #[arg(long, default_value = "default")]
    dialect: Dialect,
    /// Answer under /_control as well: faults to order, calls counted, the clock. Whoever reaches it reads every secret key.
    #[arg(long)]
    control: bool,
}

/// Runs it until told to stop.
pub async fn run(command: Command) -> Result<(), Failure> {
    let stop = told_to_stop()?;
    let Command::DeepSecurity(DeepSecurity { listen, tenants, computers, seed, dialect, control }) = command;
    let options = Options { listen, tenants, computers, seed, dialect, control };
    tokio::select! {
        served = deep_security::run(options) => Ok(served?),
        () = stop => Ok(()),
    }
}
