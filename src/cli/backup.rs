//! `tenant-gateway backup`, `backup check` and `restore`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Failure, Output};
use crate::app::{check_backup, connect, lock_for_serving, require_database, restore};
use crate::config::{Config, DatabaseKind};
use crate::database::Database;
use crate::error::{Error, Result};

/// Arguments of `backup`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The new file; it must not exist.
    #[arg(required = true, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Further commands for a backup.
#[derive(Subcommand)]
pub enum Command {
    /// Tell whether a backup is complete, of a version that this one can read, and opened by the
    /// master key of the settings.
    Check {
        /// The backup.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        output: Output,
    },
}

/// The backup to restore.
#[derive(Args)]
pub struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// Makes a backup, or checks one.
pub async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    match (arguments.command, arguments.file) {
        (Some(Command::Check { file, output }), _) => check(config, &file, output).await,
        (None, Some(file)) => back_up(config, &file, arguments.output).await,
        (None, None) => Err(Error::bad_input("FILE", "is required").into()),
    }
}

/// Puts a backup in the place of a database that is missing.
pub async fn run_restore(config: &Config, arguments: Restore) -> Result<(), Failure> {
    require_sqlite(config, "pg_restore --dbname=URL FILE")?;
    let _lock = lock_for_serving(config)?;
    let database = restore(config, &arguments.file).await?;
    Ok(arguments.output.object(&json!({ "restored": database.display().to_string() }))?)
}

async fn back_up(config: &Config, file: &Path, output: Output) -> Result<(), Failure> {
    require_sqlite(config, "pg_dump --format=custom --file=FILE URL")?;
    require_database(config)?;
    let (database, lock) = connect(config).await?;
    drop(lock);
    let made = copy(&database, file).await;
    database.close().await?;
    made?;
    check(config, file, output).await
}

async fn copy(database: &Database, file: &Path) -> Result<()> {
    // Before the copy is made: it could only be restored with the newer version.
    database.schema().await?.require_compatible()?;
    database.back_up(file).await
}

async fn check(config: &Config, file: &Path, output: Output) -> Result<(), Failure> {
    let found = check_backup(config, file).await?;
    Ok(output.object(&json!({
        "file": file.display().to_string(),
        "schema": found.schema,
        "tenants": found.tenants,
        "clients": found.clients,
        "masterKey": if found.is_opened { "opens it" } else { "not needed" },
    }))?)
}

/// PostgreSQL has tools of its own.
fn require_sqlite(config: &Config, command: &str) -> Result<()> {
    match config.database_url().kind() {
        DatabaseKind::Sqlite => Ok(()),
        DatabaseKind::Postgres => Err(Error::internal(format!(
            "the database is PostgreSQL, whose own tools do this: `{command}`, with URL from \
            database.url"
        ))),
    }
}
