//! The database: SQLite, embedded, or PostgreSQL, shared by several nodes.

mod advisory_lock;
mod backup;
mod failure;
mod fair_permits;
mod file_kind;
mod health;
mod inspect;
mod monitored;
mod schema;
mod sqlite_file;
mod time;
mod write;

use std::io;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::Connection;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseBackend, DatabaseConnection,
    DbErr, Statement,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::error::{Error, ErrorCode, Result};
use fair_permits::FairPermits;
use health::{Health, Server, connect_once};
use sqlite_file::SqliteFile;

pub use advisory_lock::AdvisoryLock;
pub use backup::Backup;
pub use failure::Failure;
pub use fair_permits::{Borrower, for_same_borrower, on_behalf_of};
pub use monitored::Monitored;
pub use schema::{NewerChange, Schema};
pub use write::Write;

/// Nodes that migrate the same PostgreSQL database queue on this advisory lock. The number is
/// arbitrary.
const MIGRATION_LOCK: i64 = 0x7465_6e61_6e74;

/// The longest wait of a request for a connection to PostgreSQL: callers hear of a server that is
/// down within three seconds.
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(2);

/// The pause between attempts to reach PostgreSQL at the start of the process.
const CONNECT_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// How long the readiness check waits for an answer.
const READINESS_TIMEOUT: Duration = Duration::from_secs(1);

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
    fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }
}

/// Whether connections may write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    ReadOnly,
}

/// A pool of connections.
pub struct Database {
    pool: Monitored<DatabaseConnection>,
    writers: Semaphore,
    write_permits: FairPermits,
    busy_timeout: Duration,
    health: Arc<Health>,
}

impl Database {
    /// Opens the pool. A missing SQLite file is created, readable by its owner alone. The caller
    /// holds a file lock meanwhile: SQLite refuses some of several processes that create the journal
    /// of a new file at the same time.
    ///
    /// # Errors
    /// If the database cannot be reached; the cause says why.
    pub async fn connect(options: Options) -> Result<Self> {
        let server = prepare(&options, SqliteFile::prepare).await?;
        let connect = connect_options(&options, Access::Write);
        Self::open(&options, server, connect).await
    }

    async fn open(options: &Options, server: Server, connect: ConnectOptions) -> Result<Self> {
        let is_sqlite = matches!(server, Server::Sqlite(_));
        let health = Arc::new(Health::new(server));
        let max_connections = options.max_connections.max(2);
        let busy_timeout = options.busy_timeout;
        let opened = Connector::connect(connect).await;
        let connection = opened.map_err(|error| {
            let cause = format!("{}: {error}", health.place());
            Error::from(error).because(cause)
        })?;
        // A transaction may check permissions on another connection: half of the connections stay
        // free for that.
        let writers = if is_sqlite { 1 } else { (max_connections / 2).max(1) };
        let writers = writers as usize;
        let pool = Monitored::pool(
            connection,
            health.clone(),
            statement_timeout(is_sqlite, busy_timeout),
            read_permits(is_sqlite, max_connections as usize),
        );
        let write_permits = FairPermits::new((writers - 1).max(1), (writers / 2).max(1));
        Ok(Self { pool, writers: Semaphore::new(writers), write_permits, busy_timeout, health })
    }

    /// For statements that only read.
    pub fn reader(&self) -> &Monitored<DatabaseConnection> {
        &self.pool
    }

    /// How many statements were begun outside of transactions since the process began.
    pub fn statements(&self) -> u64 {
        self.pool.begun()
    }

    /// Whether this is SQLite rather than PostgreSQL.
    pub fn is_sqlite(&self) -> bool {
        self.pool.get_database_backend() == DatabaseBackend::Sqlite
    }

    fn statement_timeout(&self) -> Option<Duration> {
        statement_timeout(self.is_sqlite(), self.busy_timeout)
    }

    /// Connections in use, and idle ones.
    pub fn connections(&self) -> (u32, u32) {
        let pool = self.pool.unmonitored();
        let (all, idle) = if self.is_sqlite() {
            let pool = pool.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        } else {
            let pool = pool.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        (all.saturating_sub(idle), idle)
    }

    /// Closes all connections.
    ///
    /// # Errors
    /// If a connection cannot be closed.
    pub async fn close(&self) -> Result<()> {
        Ok(self.pool.unmonitored().clone().close().await?)
    }

    /// Whether the database can serve requests: it answers within a second, takes writes if the
    /// last one failed for space or a lock, is not damaged, and its file is the one that was
    /// opened.
    ///
    /// # Errors
    /// The failure that prevents it.
    pub async fn ready(&self) -> Result<(), Failure> {
        self.health.check_file()?;
        if let Some(failure) = self.health.lasting_failure() {
            return Err(failure);
        }
        match timeout(READINESS_TIMEOUT, self.check()).await {
            Ok(checked) => checked,
            Err(_) => Err(self.health.diagnose_silence().await),
        }
    }

    async fn check(&self) -> Result<(), Failure> {
        let failed = |error| Failure::of(&error);
        // Counting the tables reads the file itself.
        let sql = if self.is_sqlite() { "SELECT COUNT(*) FROM sqlite_master" } else { "SELECT 1" };
        let read = Statement::from_string(self.pool.get_database_backend(), sql);
        self.pool.query_one_raw(read).await.map_err(failed)?;
        let Some(failure) = self.health.write_failure() else { return Ok(()) };
        if !self.health.admit_write_check() {
            return Err(failure);
        }
        self.check_write().await.map_err(|_| self.health.failure().unwrap_or(Failure::Busy))
    }

    /// Writes a value without meaning. The space is checked first: the write-ahead log of an SQLite
    /// file may have room for this write and not for larger ones.
    async fn check_write(&self) -> Result<()> {
        self.health.check_space().map_err(Error::internal)?;
        let write = self.begin().await?;
        let sql =
            if self.is_sqlite() { "PRAGMA user_version = 0" } else { "SELECT txid_current()" };
        write.on().execute_unprepared(sql).await?;
        write.commit().await
    }
}

/// How many statements one tenant, and one client of it, may have read at once. SQLite computes in
/// threads of this process: half of the cores stay free for others, though never fewer than two
/// statements of one tenant run, so that a long one of one client does not hold up the next client.
/// PostgreSQL computes elsewhere: half of the connections.
fn read_permits(is_sqlite: bool, connections: usize) -> FairPermits {
    let of_tenant = if is_sqlite {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (cores / 2).clamp(2, (connections / 2).max(2))
    } else {
        (connections / 2).max(1)
    };
    FairPermits::new(of_tenant, (of_tenant - 1).max(1))
}

/// The statement timeout. PostgreSQL gives up waiting for a lock after the busy timeout; a server
/// that has not answered one second later is silent. SQLite always answers.
fn statement_timeout(is_sqlite: bool, busy_timeout: Duration) -> Option<Duration> {
    (!is_sqlite).then_some(busy_timeout + Duration::from_secs(1))
}

/// Finds the SQLite file with `find`, or connects to PostgreSQL once, so that an error names the
/// true cause.
async fn prepare(
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

fn connect_options(options: &Options, access: Access) -> ConnectOptions {
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
