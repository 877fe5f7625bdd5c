//! `tenant-gateway migrate up|status`

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Output};
use crate::app::connect;
use crate::config::Config;
use crate::database::Database;

/// What to do with the database's schema.
#[derive(Subcommand)]
pub enum Command {
    /// Run every change that was not run yet. Several nodes may do it at once.
    Up {
        #[command(flatten)]
        output: Output,
    },
    /// Tell which changes were run. Changes nothing.
    Status {
        #[command(flatten)]
        output: Output,
    },
}

/// Does it, and prints where the schema stands then.
pub async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    let (database, _alone) = connect(config).await?;
    match command {
        Command::Up { output } => {
            database.migrate().await?;
            print(&database, output).await
        }
        Command::Status { output } => print(&database, output).await,
    }
}

async fn print(database: &Database, output: Output) -> Result<(), Failure> {
    let changes = database.migrations().await?;
    let state = |applied: &bool| if *applied { "applied" } else { "pending" };
    let rows: Vec<_> =
        changes.iter().map(|(name, applied)| json!({ "change": name, "state": state(applied) })).collect();
    Ok(output.list(&["change", "state"], &rows)?)
}
