//! The data folder and the embedded database in it: creation and locks between processes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::database::{Database, Options};
use crate::error::{Error, Result};

/// Locked while a process opens the database.
const START_LOCK: &str = "start.lock";

/// Locked while a gateway serves from the database.
const SERVE_LOCK_SUFFIX: &str = ".serve-lock";

/// Opens the database of the settings, and creates the data folder for an embedded one. The file
/// returned with an embedded database is a lock: another process that starts on the same data
/// folder waits until it is dropped.
///
/// # Errors
/// If it cannot be reached.
pub async fn connect(config: &Config) -> Result<(Database, Option<File>)> {
    let url = config.database_url();
    let lock = match url.sqlite_file() {
        Some(_) => {
            make_folder(&config.data.dir)?;
            // Lock before the database file is opened.
            Some(lock(&config.data.dir).await?)
        }
        None => None,
    };
    Ok((Database::connect(options(config)).await?, lock))
}

/// Opens an existing database of the settings for reading. Creates and changes nothing.
///
/// # Errors
/// If there is none, or it cannot be reached.
pub(super) async fn inspect(config: &Config) -> Result<Database> {
    Database::inspect(options(config)).await
}

fn options(config: &Config) -> Options {
    Options {
        url: config.database_url().expose().to_owned(),
        max_connections: config.database.max_connections,
        busy_timeout: config.database.busy_timeout,
    }
}

/// Locks an embedded database for one serving process, until the file is dropped.
///
/// # Errors
/// If another gateway serves from it.
pub fn lock_for_serving(config: &Config) -> Result<Option<File>> {
    let Some(database) = config.database_url().sqlite_file() else { return Ok(None) };
    make_folder(&config.data.dir)?;
    let path = serve_lock(&database);
    let file = open_lock(&path)
        .map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(Error::internal(format!(
            "another gateway is serving from {}: \
             stop it first, or use PostgreSQL for several nodes",
            database.display()
        ))),
        Err(TryLockError::Error(error)) => {
            Err(Error::internal(format!("{}: {error}", path.display())))
        }
    }
}

/// Locks the data folder for one starting process, until the file is dropped.
pub(super) async fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(START_LOCK);
    let name = path.display().to_string();
    let locked = tokio::task::spawn_blocking(move || {
        let file = open_lock(&path)?;
        file.lock()?;
        Ok::<_, io::Error>(file)
    });
    let locked = locked.await.map_err(Error::internal)?;
    locked.map_err(|error| Error::internal(format!("{name}: {error}")))
}

fn serve_lock(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(SERVE_LOCK_SUFFIX);
    name.into()
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

fn make_folder(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        Error::internal(format!("cannot create the data folder {}: {error}", folder.display()))
    })
}
