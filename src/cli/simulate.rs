//! `tenant-gateway simulate`: a simulator of a legacy console, to build and test clients without an
//! appliance.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tenant_gateway_simulators::{deep_security, integration_server};

use super::Failure;
use super::serve::told_to_stop;

/// The console to simulate.
#[derive(Subcommand)]
pub enum Command {
    /// Trend Micro Deep Security Manager, with a primary tenant and customers; prints their secret
    /// keys as JSON.
    DeepSecurity(DeepSecurity),
    /// Kaspersky Integration Server with tenants and their machines; prints the password of its
    /// account as JSON.
    IntegrationServer(IntegrationServer),
}

/// The contents of the manager.
#[derive(Args)]
pub struct DeepSecurity {
    /// The address to listen on; port 0 takes a free port.
    #[arg(long, default_value = "127.0.0.1:4119")]
    listen: SocketAddr,
    /// Number of customers beside the primary tenant.
    #[arg(long, default_value_t = 3)]
    tenants: usize,
    /// Number of computers per tenant.
    #[arg(long, default_value_t = 25)]
    computers: usize,
    /// The seed of every GUID and secret.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How to answer where the vendor's documentation leaves it open: `default` or `other`.
    #[arg(long, default_value = "default")]
    dialect: deep_security::Dialect,
    /// Serve /_control as well: order faults, count calls, move the clock. It gives out every
    /// secret key.
    #[arg(long)]
    control: bool,
}

impl DeepSecurity {
    fn options(self) -> deep_security::Options {
        let Self { listen, tenants, computers, seed, dialect, control } = self;
        deep_security::Options { listen, tenants, computers, seed, dialect, control }
    }
}

/// The contents of the server.
#[derive(Args)]
pub struct IntegrationServer {
    /// The address to listen on; port 0 takes a free port.
    #[arg(long, default_value = "127.0.0.1:7271")]
    listen: SocketAddr,
    /// Number of tenants at the start, Complete and Simple alternating.
    #[arg(long, default_value_t = 3)]
    tenants: usize,
    /// Number of virtual machines per tenant.
    #[arg(long, default_value_t = 5)]
    machines: usize,
    /// The seed of every identifier, and of the password unless it is given.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How to answer where the vendor's documentation leaves it open: `documented`, `terse`,
    /// `dotnet`, `prefixed`, `utf16`, `latin`, `sloppy` or `silent`.
    #[arg(long, default_value = "documented")]
    dialect: integration_server::Dialect,
    /// A file with the password of the account `multitenancy`; a line end after it is ignored.
    /// Without a file, a password is generated and printed.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Serve /_control as well: order faults, count calls, move the clock. It gives out every
    /// password sent.
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
    let text = std::fs::read_to_string(file).map_err(named)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(named(io::Error::other("there is no password in the file"))),
        password => Ok(password.to_owned()),
    }
}

/// Runs it until it is stopped by a signal.
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
