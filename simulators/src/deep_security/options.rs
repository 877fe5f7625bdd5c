//! The simulator as a program of its own.

use std::io::{self, Write};
use std::net::SocketAddr;

use serde_json::json;

use super::config::{Config, TenantSeed};
use super::dialect::Dialect;
use super::simulator::Simulator;

/// What a command line asks for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// Customers beside the primary tenant.
    pub tenants: usize,
    /// Computers of each tenant.
    pub computers: usize,
    /// Decides every GUID and secret.
    pub seed: u64,
    /// How the open questions of the reference are answered.
    pub dialect: Dialect,
    /// Whether `/_control` answers. Whoever reaches it can read every secret key.
    pub control: bool,
}

/// Customers have these names, then `Customer 4` and so on.
const CUSTOMERS: [&str; 3] = ["Contoso Retail", "Fabrikam Energy", "Northwind Traders"];

/// Runs a manager until this is dropped. Once it listens, it writes one line of JSON to standard
/// output: `{"baseURL", "tenants": [{"ID", "guid", "name", "secretKey"}]}`, the primary tenant
/// first.
///
/// # Errors
/// Where it cannot listen or write.
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
