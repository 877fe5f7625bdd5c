//! Backups of an SQLite database: made while it is in use, verified, and restored.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseBackend, DatabaseConnection,
    DbErr, Statement, Value,
};

use super::file_kind::foreign_kind;
use super::schema::{self, NewerVersion, Schema};
use super::{Database, Failure};
use crate::error::{Error, Result};

/// The file of a backup, open for reading alone.
pub struct Backup {
    path: PathBuf,
    connection: DatabaseConnection,
}

impl Database {
    /// Copies an SQLite database into a new file that only its owner can read: everything committed
    /// when the copy began. Readers and writers continue meanwhile. The copy is on disk when this
    /// returns; after an error there is no file.
    ///
    /// # Errors
    /// If the file exists, or cannot be written.
    pub async fn back_up(&self, file: &Path) -> Result<()> {
        let partial = partial(file);
        make_new(&partial, file).await?;
        let copied = self.copy_into(&partial).await.and_then(|()| publish(&partial, file));
        if copied.is_err() {
            fs::remove_file(&partial).ok();
        }
        copied
    }

    async fn copy_into(&self, partial: &Path) -> Result<()> {
        let path = partial
            .to_str()
            .ok_or_else(|| Error::bad_input("FILE", "must be a path of Unicode text"))?;
        let copy = Statement::from_sql_and_values(
            DatabaseBackend::Sqlite,
            "VACUUM INTO $1",
            [Value::from(path)],
        );
        self.pool.unmonitored().execute_raw(copy).await?;
        Ok(())
    }
}

impl Backup {
    /// Opens the file read-only.
    ///
    /// # Errors
    /// If it cannot be read, or is no database.
    pub async fn open(file: &Path) -> Result<Self> {
        // SQLite would create an empty database in place of a missing file.
        if let Some(kind) = foreign_kind(file).map_err(|error| named(file, &error))? {
            let file = file.display();
            let message = format!("{file} is {kind}, not a database of tenant-gateway");
            return Err(Error::internal(message));
        }
        let path = file.to_owned();
        let mut options = ConnectOptions::new("sqlite:");
        options.max_connections(1).sqlx_logging(false);
        options.map_sqlx_sqlite_opts(move |sqlite| {
            sqlite.filename(&path).read_only(true).immutable(true)
        });
        let connection = Connector::connect(options).await;
        let connection = connection.map_err(|error| unusable(file, reason(&error)))?;
        Ok(Self { path: file.to_owned(), connection })
    }

    /// Verifies every page and every foreign key of the file, and reads the state of its schema.
    ///
    /// # Errors
    /// If the file is damaged, is not the backup of a gateway, or was made by a newer version that
    /// this one cannot work with.
    pub async fn check(&self) -> Result<Schema> {
        let damaged = |error: DbErr| self.unusable(reason(&error));
        let found: String = self.one("PRAGMA integrity_check(1)").await.map_err(damaged)?;
        if found != "ok" {
            return Err(self.unusable(found));
        }
        let sql = "PRAGMA foreign_key_check";
        let broken = Statement::from_string(DatabaseBackend::Sqlite, sql);
        if self.connection.query_one_raw(broken).await.map_err(damaged)?.is_some() {
            return Err(self.unusable("a row refers to another one that is missing"));
        }
        let schema = schema::read(&self.connection).await.map_err(damaged)?;
        if !schema.changes.iter().any(|(_, applied)| *applied) {
            return Err(self.unusable("it is not a database of tenant-gateway"));
        }
        match schema.newer_version() {
            None => Ok(schema),
            Some(NewerVersion { maker, difference }) => Err(self.unusable(format!(
                "its schema was made by {maker} of tenant-gateway; {difference}. Restore it with \
                 {maker}"
            ))),
        }
    }

    /// The connection for statements that read.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Copies the backup to the path of the database.
    ///
    /// # Errors
    /// If there is a database already, or the file cannot be written.
    pub async fn restore_to(&self, file: &Path) -> Result<()> {
        let partial = partial(file);
        make_new(&partial, file).await?;
        let copied = fs::copy(&self.path, &partial).map_err(|error| named(&partial, &error));
        let copied = copied.and_then(|_| publish(&partial, file));
        if copied.is_err() {
            fs::remove_file(&partial).ok();
        }
        copied
    }

    /// Counts the rows of a table.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn count(&self, table: &'static str) -> Result<i64> {
        Ok(self.one(&format!("SELECT COUNT(*) FROM {table}")).await?)
    }

    async fn one<T: sea_orm::TryGetable>(&self, sql: &str) -> Result<T, DbErr> {
        let statement = Statement::from_string(DatabaseBackend::Sqlite, sql);
        let row = self.connection.query_one_raw(statement).await?;
        row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?.try_get_by_index(0)
    }

    fn unusable(&self, reason: impl Display) -> Error {
        unusable(&self.path, reason)
    }
}

fn unusable(file: &Path, reason: impl Display) -> Error {
    Error::internal(format!("{} cannot be used: {reason}", file.display()))
}

/// Why the file cannot be read, in other words than the driver's for a file that was cut off.
fn reason(error: &DbErr) -> String {
    match Failure::of(error) {
        Failure::Damaged => "it is damaged or incomplete".to_owned(),
        _ => error.to_string(),
    }
}

fn partial(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Creates an empty file readable by its owner alone, in place of the rest of an interrupted copy.
async fn make_new(partial: &Path, file: &Path) -> Result<()> {
    if file.symlink_metadata().is_ok() {
        return Err(Error::internal(format!(
            "{} exists already: nothing is overwritten",
            file.display()
        )));
    }
    let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(partial);
    made.map(drop).map_err(|error| named(file, &error))
}

/// Gives a complete file its name once it is on disk.
fn publish(partial: &Path, file: &Path) -> Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let on_disk = File::open(partial).and_then(|partial| partial.sync_all());
    // Unlike a rename, a hard link does not replace a file that was created meanwhile.
    let placed = on_disk.and_then(|()| match fs::hard_link(partial, file) {
        Ok(()) => fs::remove_file(partial),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links.
        Err(_) => fs::rename(partial, file),
    });
    let done = placed.and_then(|()| File::open(folder)).and_then(|folder| folder.sync_all());
    done.map_err(|error| named(file, &error))
}

fn named(path: &Path, error: &io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display()))
}
