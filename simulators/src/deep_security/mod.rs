//! A stand-in for Deep Security Manager and Workload Security.
//!
//! "Reference" is the project's wire reference of this API. A test starts one and talks to its
//! `base_url`:
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
//! A call passes `calls` (version, then `access`: credential, tenant state, rate limit), then the
//! file of its collection, which checks the rights. Objects are documents (`object`) under the
//! vendor's names, written by the rules of their `schema`; computers and policies are shown
//! (`serialize`) with what they inherit, as far as a `view` asks for it.

mod access;
mod calls;
mod config;
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
pub use simulator::{SeededTenant, Simulator};
