//! A stand-in for Integration Server of Kaspersky Security for Virtualization Light Agent.
//!
//! "Reference" is the project's wire reference of this API. A test starts one and talks to its
//! `base_url`:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use tenant_gateway_simulators::calls::Calls;
//! use tenant_gateway_simulators::faults::Fault;
//! use tenant_gateway_simulators::integration_server::{Config, Dialect, Fate, Simulator, TaskKind, TenantSeed};
//!
//! for dialect in Dialect::ALL {
//!     let config = Config::default().dialect(dialect).tenant(TenantSeed::complete("Contoso Retail").machines(3));
//!     let simulator = Simulator::start(config).await?;
//!     simulator.order(Calls::to("POST", "/tenants"), Fault::LoseAnswer, 1);
//!     simulator.order_task(TaskKind::CreateTenant, Fate::fails("KSC_ServiceNotConfigured"), 1);
//!     // … the program under test calls simulator.base_url as `multitenancy` with simulator.password() …
//!     assert_eq!(simulator.count(&Calls::to("POST", "/tenants")), 0);
//! }
//! # Ok(()) }
//! ```
//!
//! A call passes `access`, then its handler in `calls`. Asynchronous work is a `task`: it runs
//! through the `stages` of its `work` by the simulator's clock (`progress`), and is rolled back
//! where the reference promises it. All state is in the `installation`. Responses are built of
//! `element`s (`serialize`) and written (`xml`) in the form of the `dialect`.

mod access;
mod calls;
mod config;
mod console;
mod control;
mod dates;
mod dialect;
mod dialects;
mod element;
mod inspection;
mod installation;
mod objects;
mod options;
mod progress;
mod read;
mod refusal;
mod report;
mod security_center;
mod seeding;
mod serialize;
mod shapes;
mod simulator;
mod stages;
mod starting;
mod task;
mod work;
mod xml;

pub use config::{Config, TaskTiming, TenantSeed};
pub use dialect::Dialect;
pub use inspection::{FoundMachine, FoundReport, FoundTask, FoundTenant};
pub use objects::TenantKind;
pub use options::{Options, run};
pub use seeding::SeededTenant;
pub use shapes::{
    Accepted, Dates, Encoding, Errors, FreeText, Progress, Quotes, Report, Results, Tags,
    TaskErrors,
};
pub use simulator::Simulator;
pub use task::{Fate, TaskKind};
