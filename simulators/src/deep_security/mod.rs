//! A stand-in for Deep Security Manager and Workload Security.
//!
//! "Reference" is `docs/reference/deep-security-api.md`. A test starts a simulator and configures
//! the program under test with its `base_url`:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use tenant_gateway_simulators::calls::Calls;
//! use tenant_gateway_simulators::deep_security::{Config, Simulator, TenantSeed};
//! use tenant_gateway_simulators::faults::Fault;
//!
//! let config = Config::default().tenant(TenantSeed::named("Contoso Retail").computers(100));
//! let simulator = Simulator::start(config).await?;
//! simulator.order(Calls::to("POST", "/tenants/*/apikeys"), Fault::LoseAnswer, 1);
//! // … the program under test calls simulator.base_url with simulator.primary().secret_key …
//! assert_eq!(simulator.count(&Calls::to("POST", "/tenants/*/apikeys")), 0);
//! # Ok(()) }
//! ```
//!
//! `calls` checks the version and, in `access`, the credential, the tenant's state and the rate
//! limit; then the module of the collection checks the rights. Objects are JSON documents
//! (`object`) with the vendor's field names, written by the rules of their `schema`. `serialize`
//! adds inherited values to computers and policies and selects the parts of the `view`. `manager`
//! is the state, which `seeding` fills and `console` serves.

mod access;
mod builtin_roles;
mod calls;
mod config;
mod console;
mod control;
mod criteria;
mod dialect;
mod inheritance;
mod manager;
mod modules;
mod object;
mod options;
mod parts;
mod rates;
mod refusal;
mod rights;
mod schema;
mod schemas;
mod search;
mod seeding;
mod serialize;
mod settings;
mod simulator;
mod view;

pub use config::{Config, Limits, Product, TenantSeed};
pub use dialect::Dialect;
pub use options::{Options, run};
pub use seeding::SeededTenant;
pub use simulator::Simulator;
