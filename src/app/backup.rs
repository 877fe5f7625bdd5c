//! Backups of an embedded database, seen with the settings: version and master key must fit.

use std::path::{Path, PathBuf};

use super::master_key;
use crate::config::Config;
use crate::database::Backup;
use crate::error::{Error, Result};
use crate::tokens;

/// What a backup holds.
pub struct Contents {
    /// The newest change of its schema.
    pub schema: String,
    /// How many tenants.
    pub tenants: i64,
    /// How many clients.
    pub clients: i64,
    /// Whether it holds sealed secrets, which the master key opens.
    pub is_opened: bool,
}

/// Tells what a backup holds; it is complete, of a version that this one can read, and the master
/// key of the settings opens it.
///
/// # Errors
/// If any of that is not so.
pub async fn check_backup(config: &Config, file: &Path) -> Result<Contents> {
    let backup = Backup::open(file).await?;
    inspect(config, &backup).await
}

/// Puts a backup in the place of an embedded database that is missing; says where that is.
///
/// # Errors
/// As [`check_backup`], and if there is a database.
pub async fn restore(config: &Config, file: &Path) -> Result<PathBuf> {
    let database = config.database_url().sqlite_file();
    let database =
        database.ok_or_else(|| Error::internal("the database of the settings is no file"))?;
    let backup = Backup::open(file).await?;
    inspect(config, &backup).await?;
    backup.restore_to(&database).await?;
    Ok(database)
}

async fn inspect(config: &Config, backup: &Backup) -> Result<Contents> {
    let schema = backup.check().await?;
    schema.require_compatible()?;
    let last_change = schema.changes.iter().rev().find(|(_, applied)| *applied);
    let is_opened = tokens::holds_sealed_keys(backup.reader()).await?;
    if is_opened {
        let master = master_key::existing_master_key(config)?;
        tokens::require_master_key(backup.reader(), &master).await?;
    }
    Ok(Contents {
        schema: last_change.map_or_else(String::new, |(name, _)| name.clone()),
        tenants: backup.count("tenants").await?,
        clients: backup.count("clients").await?,
        is_opened,
    })
}
