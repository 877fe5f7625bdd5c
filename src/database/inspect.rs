//! A database that is only looked at.

use std::path::Path;

use sea_orm::ConnectOptions;

use super::Database;
use super::connect::{Access, Options, connect_options, prepare};
use super::health::Server;
use super::sqlite_file::SqliteFile;
use crate::error::Result;

impl Database {
    /// Opens an existing database for reading. Nothing is created or written: neither a file nor
    /// its mode, and every write is refused.
    ///
    /// # Errors
    /// If there is no database, or it cannot be reached; the cause says why.
    pub async fn inspect(options: Options) -> Result<Self> {
        let server = prepare(&options, SqliteFile::existing).await?;
        let mut connect = connect_options(&options, Access::ReadOnly);
        if let Server::Sqlite(Some(file)) = &server {
            read_only(&mut connect, &options, file.path());
        }
        Self::open(&options, server, connect).await
    }
}

fn read_only(connect: &mut ConnectOptions, options: &Options, file: &Path) {
    let busy_timeout = options.busy_timeout;
    // SQLite creates a write-ahead log to read a file that nobody has open, unless the file is
    // declared immutable. Beside a log, which belongs to a gateway that runs or crashed, the file
    // alone is incomplete.
    let is_complete = !SqliteFile::write_ahead_log(file).exists();
    connect.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(false)
            .read_only(true)
            .immutable(is_complete)
            .busy_timeout(busy_timeout)
    });
}
