//! The simulator as a program of its own.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::access::ACCOUNT;
use super::config::{Config, TaskTiming, TenantSeed};
use super::dialect::Dialect;
use super::simulator::Simulator;
use crate::random::Random;

/// Options of the command line. No `Debug`, since they may hold a password.
#[derive(Clone)]
pub struct Options {
    /// The address to listen on; port 0 is any free one.
    pub listen: SocketAddr,
    /// Tenants at the start, Complete and Simple ones by turns.
    pub tenants: usize,
    /// Machines of each tenant.
    pub machines: usize,
    /// Decides every identifier, and the password where none is given.
    pub seed: u64,
    /// How the open questions of the reference are answered.
    pub dialect: Dialect,
    /// Of the account `multitenancy`; one is made if absent.
    pub password: Option<String>,
    /// Whether to serve `/_control`. A client of it can read everything that was sent.
    pub control: bool,
}

/// Tenants have these names, then `Customer 4` and so on.
const CUSTOMERS: [&str; 3] = ["Contoso Retail", "Fabrikam Energy", "Northwind Traders"];

/// Slow enough to watch a task in progress.
const TASK_TIMING: TaskTiming = TaskTiming::of(Duration::from_millis(500));

/// Runs a server until this is dropped. Once it listens, it writes one line of JSON to standard
/// output: `{"baseURL", "user", "password", "tenants": [{"id", "name", "type"}]}`; a password that
/// was given is not shown.
///
/// # Errors
/// If it cannot listen or write.
pub async fn run(options: Options) -> io::Result<()> {
    let made = options.password.is_none().then(|| made_password(options.seed));
    let password = options.password.clone().or_else(|| made.clone()).unwrap_or_default();
    let simulator = Simulator::start(config(&options, password)).await?;
    let mut introduction =
        json!({ "baseURL": simulator.base_url, "user": ACCOUNT, "tenants": simulator.tenants });
    if let Some(password) = made {
        introduction["password"] = password.into();
    }
    writeln!(io::stdout(), "{introduction}")?;
    std::future::pending().await
}

/// 32 hexadecimal digits, from another place of the generator than the identifiers.
fn made_password(seed: u64) -> String {
    Random::seeded(!seed).hex()
}

fn config(options: &Options, password: String) -> Config {
    let name = |number: usize| {
        CUSTOMERS.get(number - 1).map_or(format!("Customer {number}"), ToString::to_string)
    };
    let tenant = |number: usize| {
        let kind = if number.is_multiple_of(2) { TenantSeed::simple } else { TenantSeed::complete };
        kind(&name(number)).machines(options.machines)
    };
    Config {
        listen: options.listen,
        seed: options.seed,
        dialect: options.dialect,
        password,
        task_timing: TASK_TIMING,
        control: options.control,
        tenants: (1..=options.tenants).map(tenant).collect(),
        ..Config::default()
    }
}
