//! How the database is reached.

use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::Connection;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{ConnectOptions, DbErr};
use tokio::time::Instant;

use super::failure::Failure;
use super::health::{Server, connect_once};
use super::sqlite_file::SqliteFile;
use crate::error::{Error, ErrorCode, Result};

/// The longest wait of a request for a connection to PostgreSQL: callers hear of a server that is
/// down within three seconds.
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(2);

/// The pause between attempts to reach PostgreSQL at the start of the process.
const CONNECT_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// How to reach the database.
pub struct Options {
    /// `sqlite:<path>` or `postgres://…`.
    pub url: String,
    /// The most connections; fewer than two count as two.
    pub max_connections: u32,
    /// How long a write waits for a permit, and a statement for a lock.
    pub busy_timeout: Duration,
}

impl Options {
    /// Whether this is SQLite rather than PostgreSQL.
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }
}

/// Whether connections may write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// They may.
    Write,
    /// PostgreSQL refuses their writes.
    ReadOnly,
}

/// Finds the SQLite file with `find`, or connects to PostgreSQL once, so that an error names the
/// true cause.
pub async fn prepare(
    options: &Options,
    find: impl FnOnce(&Path) -> io::Result<SqliteFile>,
) -> Result<Server> {
    if options.is_sqlite() {
        let parsed = SqliteConnectOptions::from_str(&options.url).map_err(Error::internal)?;
        let path = parsed.get_filename();
        if path.as_os_str() == ":memory:" || path.starts_with("file:") {
            return Ok(Server::Sqlite(None));
        }
        let opened = find(path);
        let message = Failure::Io.message();
        let file = opened
            .map_err(|error| Error::new(ErrorCode::DatabaseUnavailable, message).because(error))?;
        return Ok(Server::Sqlite(Some(file)));
    }
    let server = PgConnectOptions::from_str(&options.url).map_err(Error::internal)?;
    reach(&server).await.map_err(|error| {
        let cause = format!("{}:{}: {error}", server.get_host(), server.get_port());
        Error::from(error).because(cause)
    })?;
    Ok(Server::Postgres(Box::new(server)))
}

/// Connects, and retries for a moment while the server starts.
async fn reach(server: &PgConnectOptions) -> Result<(), DbErr> {
    let deadline = Instant::now() + CONNECTION_WAIT_MAX;
    loop {
        let refused = match connect_once(server, deadline.duration_since(Instant::now())).await {
            Err(error) if Failure::of(&error) == Failure::Unreachable => error,
            outcome => return outcome,
        };
        if Instant::now() + CONNECT_AGAIN_AFTER >= deadline {
            return Err(refused);
        }
        tokio::time::sleep(CONNECT_AGAIN_AFTER).await;
    }
}

/// The settings of the pool and of its connections.
pub fn connect_options(options: &Options, access: Access) -> ConnectOptions {
    let mut connect = ConnectOptions::new(&options.url);
    let busy_timeout = options.busy_timeout;
    let is_sqlite = options.is_sqlite();
    let wait = if is_sqlite { busy_timeout } else { busy_timeout.min(CONNECTION_WAIT_MAX) };
    let lock_timeout = busy_timeout.as_millis().to_string();
    connect
        .max_connections(options.max_connections.max(2))
        .acquire_timeout(wait)
        .connect_timeout(wait)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |postgres| {
            // After some executions PostgreSQL would switch to a generic plan. For the pattern `%`
            // it scans the whole trigram index: minutes instead of milliseconds.
            let plan = ("plan_cache_mode", "force_custom_plan");
            // A lock that another program holds must not block a request forever.
            let postgres = postgres.options([plan, ("lock_timeout", &lock_timeout)]);
            match access {
                Access::Write => postgres,
                Access::ReadOnly => postgres.options([("default_transaction_read_only", "on")]),
            }
        })
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| {
                Box::pin(async move {
                    // The rollback of a dropped transaction may still be in the queue of the
                    // connection's thread.
                    connection.ping().await?;
                    // SQLite rolls back by itself when the disk is full. The driver's ROLLBACK then
                    // fails and its transaction depth stays at 1, so that the next transaction would
                    // be a savepoint that is never committed.
                    Ok(!connection.is_in_transaction())
                })
            })
        })
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .create_if_missing(true)
                .foreign_keys(true)
                .busy_timeout(busy_timeout)
                .pragma("journal_mode", "WAL")
                // Acknowledged writes survive a power failure, not only the end of the process.
                .pragma("synchronous", "FULL")
        });
    connect
}
