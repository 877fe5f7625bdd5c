//! The database: SQLite, embedded, or PostgreSQL, shared by several nodes.

mod advisory_lock;
mod backup;
mod failure;
mod health;
mod monitored;
mod schema;
mod sqlite_file;
mod time;
mod turns;
mod write;

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
use health::{Health, Server, connect_once};
use sqlite_file::SqliteFile;
use turns::Turns;

pub use advisory_lock::AdvisoryLock;
pub use backup::Backup;
pub use failure::Failure;
pub use monitored::Monitored;
pub use schema::{NewerChange, Schema};
pub use turns::{Borrower, for_same_borrower, on_behalf_of};
pub use write::Write;

/// Two nodes that migrate one PostgreSQL at once queue on this lock; the number means nothing else.
const MIGRATION_LOCK: i64 = 0x7465_6e61_6e74;

/// How long a request waits for a connection to PostgreSQL at most: a server that is down is told
/// to callers within three seconds.
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(2);

/// How long a start waits before it tries again to reach PostgreSQL.
const CONNECT_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// How long the readiness check waits for an answer.
const READINESS_TIMEOUT: Duration = Duration::from_secs(1);

/// How to reach the database.
pub struct Options {
    /// `sqlite:<path>` or `postgres://…`.
    pub url: String,
    /// Connections kept at most; two at least.
    pub max_connections: u32,
    /// How long a write waits for its turn, and a statement for a lock.
    pub busy_timeout: Duration,
}

/// A pool of connections.
pub struct Database {
    pool: Monitored<DatabaseConnection>,
    writers: Semaphore,
    write_turns: Turns,
    busy_timeout: Duration,
    health: Arc<Health>,
}

impl Database {
    /// Opens the pool; an SQLite file is made if it is missing, for its owner alone. For that the
    /// caller holds a file lock: of several processes that give a new file its journal, SQLite
    /// turns some away without waiting.
    ///
    /// # Errors
    /// If the database cannot be reached; the cause says why.
    pub async fn connect(options: Options) -> Result<Self> {
        let server = prepare(&options).await?;
        let is_sqlite = matches!(server, Server::Sqlite(_));
        let health = Arc::new(Health::new(server));
        let max_connections = options.max_connections.max(2);
        let busy_timeout = options.busy_timeout;
        let opened = Connector::connect(connect_options(options, is_sqlite)).await;
        let connection = opened.map_err(|error| {
            let cause = format!("{}: {error}", health.place());
            Error::from(error).because(cause)
        })?;
        // A transaction may ask what the caller is allowed, on another connection: half of them
        // stay free for that.
        let writers = if is_sqlite { 1 } else { (max_connections / 2).max(1) };
        let writers = writers as usize;
        let pool = Monitored::pool(
            connection,
            health.clone(),
            statement_timeout(is_sqlite, busy_timeout),
            read_turns(is_sqlite, max_connections as usize),
        );
        let write_turns = Turns::new((writers - 1).max(1), (writers / 2).max(1));
        Ok(Self { pool, writers: Semaphore::new(writers), write_turns, busy_timeout, health })
    }

    /// For statements that only read.
    pub fn reader(&self) -> &Monitored<DatabaseConnection> {
        &self.pool
    }

    /// How many statements were begun outside of transactions since the process began.
    pub fn statements(&self) -> u64 {
        self.pool.begun()
    }

    /// Which of the two databases this is.
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

    /// Ends all connections.
    ///
    /// # Errors
    /// If one of them breaks off instead.
    pub async fn close(&self) -> Result<()> {
        Ok(self.pool.unmonitored().clone().close().await?)
    }

    /// Whether the database can serve requests: it answers within a second, takes writes if the
    /// last one failed for space or a lock, is not damaged, and its file is the one that was
    /// opened.
    ///
    /// # Errors
    /// What is wrong.
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
        // The schema table stands in the file itself, which is then read.
        let sql = if self.is_sqlite() { "SELECT COUNT(*) FROM sqlite_master" } else { "SELECT 1" };
        let read = Statement::from_string(self.pool.get_database_backend(), sql);
        self.pool.query_one_raw(read).await.map_err(failed)?;
        let Some(failure) = self.health.write_failure() else { return Ok(()) };
        if !self.health.admit_write_check() {
            return Err(failure);
        }
        self.check_write().await.map_err(|_| self.health.failure().unwrap_or(Failure::Busy))
    }

    /// Writes something of no meaning. The log of an SQLite file may have room for it that larger
    /// writes have not.
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
fn read_turns(is_sqlite: bool, connections: usize) -> Turns {
    let of_tenant = if is_sqlite {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (cores / 2).clamp(2, (connections / 2).max(2))
    } else {
        (connections / 2).max(1)
    };
    Turns::new(of_tenant, (of_tenant - 1).max(1))
}

/// How long a statement may take: PostgreSQL gives a lock up after the busy timeout, and what takes
/// longer than that and a second has no answer. SQLite answers always.
fn statement_timeout(is_sqlite: bool, busy_timeout: Duration) -> Option<Duration> {
    (!is_sqlite).then_some(busy_timeout + Duration::from_secs(1))
}

/// Where the database is: for SQLite the file, made and closed to others; for PostgreSQL the
/// server, asked once so that the true cause is told if it cannot be reached.
async fn prepare(options: &Options) -> Result<Server> {
    if options.url.starts_with("sqlite:") {
        let parsed = SqliteConnectOptions::from_str(&options.url).map_err(Error::internal)?;
        let path = parsed.get_filename();
        if path.as_os_str() == ":memory:" || path.starts_with("file:") {
            return Ok(Server::Sqlite(None));
        }
        let opened = SqliteFile::prepare(path);
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

/// Connects, and waits a moment for a server that is just starting.
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

fn connect_options(options: Options, is_sqlite: bool) -> ConnectOptions {
    let mut connect = ConnectOptions::new(options.url);
    let busy_timeout = options.busy_timeout;
    let wait = if is_sqlite { busy_timeout } else { busy_timeout.min(CONNECTION_WAIT_MAX) };
    let lock_timeout = busy_timeout.as_millis().to_string();
    connect
        .max_connections(options.max_connections.max(2))
        .acquire_timeout(wait)
        .connect_timeout(wait)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |postgres| {
            // After some executions PostgreSQL would make one plan for every pattern, which reads
            // the whole trigram index for `%`: minutes, where a plan of its own takes milliseconds.
            let plan = ("plan_cache_mode", "force_custom_plan");
            // A lock that is held outside must not hold a request without end.
            postgres.options([plan, ("lock_timeout", &lock_timeout)])
        })
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| {
                Box::pin(async move {
                    // The rollback of a dropped transaction may still be in the queue of the
                    // connection's thread.
                    connection.ping().await?;
                    // SQLite rolls back by itself when the disk is full. The driver's own ROLLBACK
                    // then fails, it counts a transaction that is none, and the next one would be a
                    // savepoint that is never committed.
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
                // What was answered survives a power failure, not only the end of the process.
                .pragma("synchronous", "FULL")
        });
    connect
}
