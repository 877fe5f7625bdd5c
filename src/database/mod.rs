//! The database: SQLite, embedded, or PostgreSQL, shared by several nodes.

mod advisory_lock;
mod backup;
mod change_records;
mod connect;
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
mod write_span;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseBackend, DatabaseConnection,
    Statement,
};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::{Error, Result};
use connect::{Access, connect_options, prepare};
use health::{Health, Server};
use sqlite_file::SqliteFile;

pub use advisory_lock::AdvisoryLock;
pub use backup::Backup;
pub use connect::Options;
pub use failure::Failure;
pub use fair_permits::{Borrower, FairPermits, for_same_borrower, on_behalf_of};
pub use monitored::{LastStep, Monitored, Transaction};
pub use schema::{NewerChange, Schema};
pub use write::Write;

/// Nodes that migrate the same PostgreSQL database queue on this advisory lock. The number is
/// arbitrary.
const MIGRATION_LOCK: i64 = 0x7465_6e61_6e74;

/// How long the readiness check waits for an answer.
const READINESS_TIMEOUT: Duration = Duration::from_secs(1);

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
