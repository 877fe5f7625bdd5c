//! The simulator as a program.

use std::io::{self, Write};
use std::net::SocketAddr;

use serde_json::json;

use super::config::{Config, TenantSeed};
use super::dialect::Dialect;
use super::simulator::Simulator;

/// The options of the command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// The listener; port 0 for a free one.
    pub listen: SocketAddr,
    /// The number of customers beside the primary tenant.
    pub tenants: usize,
    /// The number of computers of each tenant.
    pub computers: usize,
    /// Determines every GUID and secret.
    pub seed: u64,
    /// The behaviours that the reference leaves open.
    pub dialect: Dialect,
    /// Whether `/_control` is enabled. It shows every secret key.
    pub control: bool,
}

/// The names of the first customers; the others are `Customer 4` and so on.
const CUSTOMERS: [&str; 3] = ["Contoso Retail", "Fabrikam Energy", "Northwind Traders"];

/// Runs a manager until the future is dropped. Once it listens, it writes one line of JSON to
/// standard output: `{"baseURL", "tenants": [{"ID", "guid", "name", "secretKey"}]}`, the primary tenant
/// first.
///
/// # Errors
/// If it cannot listen or write.
pub async fn run(options: Options) -> io::Result<()> {
    let simulator = Simulator::start(config(&options)).await?;
    let introduction = json!({ "baseURL": simulator.base_url, "tenants": simulator.tenants });
    writeln!(io::stdout(), "{introduction}")?;
    std::future::pending().await
}

fn config(options: &Options) -> Config {
    let name = |number: usize| {
        CUSTOMERS.get(number - 1).map_or(format!("Customer {number}"), ToString::to_string)
    };
    let customer = |number| TenantSeed::named(&name(number)).computers(options.computers);
    Config {
        listen: options.listen,
        seed: options.seed,
        dialect: options.dialect.clone(),
        control: options.control,
        primary: TenantSeed::named("Primary").computers(options.computers),
        tenants: (1..=options.tenants).map(customer).collect(),
        ..Config::default()
    }
}
