//! Backups of an embedded database: checked against the version and the master key, and restored.

use std::path::{Path, PathBuf};

use super::master_key;
use crate::config::Config;
use crate::database::Backup;
use crate::error::{Error, Result};
use crate::tokens;

/// The contents of a backup.
pub struct Contents {
    /// The name of its newest migration.
    pub schema: String,
    /// The number of tenants.
    pub tenants: i64,
    /// The number of clients.
    pub clients: i64,
    /// Whether it contains sealed secrets, which the master key opened.
    pub is_opened: bool,
}

/// Checks that a backup is complete, of a compatible version, and opened by the configured master
/// key; returns its contents.
///
/// # Errors
/// If a check fails.
pub async fn check_backup(config: &Config, file: &Path) -> Result<Contents> {
    let backup = Backup::open(file).await?;
    inspect(config, &backup).await
}

/// Restores a backup where the embedded database is missing; returns the path of the database.
///
/// # Errors
/// As [`check_backup`], and if the database exists.
pub async fn restore(config: &Config, file: &Path) -> Result<PathBuf> {
    let database = config.database_url().sqlite_file();
    let database =
        database.ok_or_else(|| Error::internal("the configured database is not a SQLite file"))?;
    let backup = Backup::open(file).await?;
    inspect(config, &backup).await?;
    backup.restore_to(&database).await?;
    Ok(database)
}

async fn inspect(config: &Config, backup: &Backup) -> Result<Contents> {
    let schema = backup.check().await?;
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
