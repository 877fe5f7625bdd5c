//! `tenant-gateway migrate up|down|status`

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Output};
use crate::app::{connect, lock_for_serving, require_database};
use crate::config::Config;
use crate::database::Database;

/// Commands for the database's schema.
#[derive(Subcommand)]
pub enum Command {
    /// Run every change that was not run yet. Several nodes may do it at once.
    Up {
        #[command(flatten)]
        output: Output,
    },
    /// Undo the changes after the one named, newest first.
    ///
    /// For installing an older version of the program that does not know them. Their additions to
    /// the database are lost; make a backup first.
    Down {
        /// The last change that stays, such as m0013_integration_server_tasks; `migrate status`
        /// lists them.
        #[arg(long, value_name = "CHANGE")]
        to: String,
        #[command(flatten)]
        output: Output,
    },
    /// Tell which changes were run, those of a newer version too. Changes nothing.
    ///
    /// Fails if this version cannot work with the changes of a newer one.
    Status {
        #[command(flatten)]
        output: Output,
    },
}

/// Runs the command and prints the resulting schema version.
pub async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    if !matches!(command, Command::Up { .. }) {
        require_database(config)?;
    }
    let (database, _alone) = connect(config).await?;
    let done = run_on(&database, config, command).await;
    database.close().await?;
    done
}

async fn run_on(database: &Database, config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Up { output } => {
            database.migrate().await?;
            print(database, output).await
        }
        Command::Down { to, output } => {
            // No process may use the tables that are removed.
            let _lock = lock_for_serving(config)?;
            database.unmigrate_to(&to).await?;
            print(database, output).await
        }
        Command::Status { output } => print(database, output).await,
    }
}

async fn print(database: &Database, output: Output) -> Result<(), Failure> {
    let schema = database.schema().await?;
    let state = |applied: bool| if applied { "applied" } else { "pending" };
    let known = schema.changes.iter().map(|(name, applied)| (name, state(*applied)));
    let newer = schema.newer.iter().map(|change| (&change.name, "newer"));
    let rows: Vec<_> =
        known.chain(newer).map(|(name, state)| json!({ "change": name, "state": state })).collect();
    output.list(&["change", "state"], &rows)?;
    Ok(schema.require_compatible()?)
}
