//! `tenant-gateway simulate`: a stand-in for a legacy console, so that partners can build and test
//! without an appliance.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tenant_gateway_simulators::{deep_security, integration_server};

use super::Failure;
use super::serve::told_to_stop;

/// Which console.
#[derive(Subcommand)]
pub enum Command {
    /// Trend Micro Deep Security Manager, with a primary tenant and customers; prints their secret
    /// keys as JSON.
    DeepSecurity(DeepSecurity),
    /// Kaspersky Integration Server with tenants and their machines; prints the password of its
    /// account as JSON.
    IntegrationServer(IntegrationServer),
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
    dialect: deep_security::Dialect,
    /// Answer under /_control as well: faults to order, calls counted, the clock. Whoever reaches
    /// it reads every secret key.
    #[arg(long)]
    control: bool,
}

impl DeepSecurity {
    fn options(self) -> deep_security::Options {
        let Self { listen, tenants, computers, seed, dialect, control } = self;
        deep_security::Options { listen, tenants, computers, seed, dialect, control }
    }
}

/// What the server holds.
#[derive(Args)]
pub struct IntegrationServer {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:7271")]
    listen: SocketAddr,
    /// Tenants at the start, Complete and Simple ones by turns.
    #[arg(long, default_value_t = 3)]
    tenants: usize,
    /// Virtual machines of each tenant.
    #[arg(long, default_value_t = 5)]
    machines: usize,
    /// Decides every identifier, and the password unless it is given.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How the questions are answered that the vendor's pages leave open: `documented`, `terse`,
    /// `dotnet`, `prefixed`, `utf16`, `latin`, `sloppy` or `silent`.
    #[arg(long, default_value = "documented")]
    dialect: integration_server::Dialect,
    /// Holds the password of the account `multitenancy`; a line end after it is left out. Without a
    /// file one is made and printed.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Answer under /_control as well: faults to order, calls counted, the clock. Whoever reaches
    /// it reads every password sent.
    #[arg(long)]
    control: bool,
}

impl IntegrationServer {
    fn options(self) -> io::Result<integration_server::Options> {
        let Self { listen, tenants, machines, seed, dialect, password_file, control } = self;
        let password = password_file.as_deref().map(read_password).transpose()?;
        Ok(integration_server::Options {
            listen,
            tenants,
            machines,
            seed,
            dialect,
            password,
            control,
        })
    }
}

fn read_password(file: &Path) -> io::Result<String> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    Ok(std::fs::read_to_string(file).map_err(named)?.trim_end_matches(['\r', '\n']).to_owned())
}

/// Runs it until told to stop.
pub async fn run(command: Command) -> Result<(), Failure> {
    let stop = told_to_stop()?;
    let simulator = async {
        match command {
            Command::DeepSecurity(manager) => deep_security::run(manager.options()).await,
            Command::IntegrationServer(server) => integration_server::run(server.options()?).await,
        }
    };
    tokio::select! {
        served = simulator => Ok(served?),
        () = stop => Ok(()),
    }
}
