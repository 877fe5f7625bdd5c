//! The composition root, the only room that knows all others.
//!
//! | module | contents |
//! |---|---|
//! | `environment`, `data_folder`, `master_key`, `backup` | what a process finds when it starts |
//! | `core`, `services`, `open`, `rotate_master_key`, `doctor` | the services on a database, as commands need them |
//! | `link_checks`, `background_jobs`, `reload`, `gateway`, `listeners`, `serve` | a gateway that serves |
//!
//! Each imports only from those before it.

mod background_jobs;
mod backup;
mod core;
mod data_folder;
mod doctor;
mod environment;
mod gateway;
mod link_checks;
mod listeners;
mod master_key;
mod open;
mod reload;
mod rotate_master_key;
mod serve;
mod services;

pub use self::background_jobs::BackgroundJobs;
pub use self::backup::{Contents, check_backup, restore};
pub use self::core::Core;
pub use self::data_folder::{connect, lock_for_serving};
pub use self::doctor::{Finding, FindingState, SettingsFiles, examine};
pub use self::environment::Environment;
pub use self::gateway::App;
pub use self::listeners::Listeners;
pub use self::master_key::{refuse_lost_database, require_database};
pub use self::reload::{Load, Reloader};
