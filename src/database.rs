//! The database: SQLite, embedded, or PostgreSQL, shared by several nodes.

use std::time::Duration;

use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseBackend, DatabaseConnection, DatabaseTransaction,
    DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tenant_gateway_migrations as migrations;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, Result};

/// Two nodes that migrate one PostgreSQL at once queue on this lock; the number means nothing else.
const MIGRATION_LOCK: i64 = 0x7465_6e61_6e74;

/// Transactions of which only one may run at a time queue on this one.
const LONE_WRITER_LOCK: i64 = MIGRATION_LOCK + 1;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::internal(error)
    }
}

/// How to reach the database.
pub struct Options {
    /// `sqlite:<path>` or `postgres://…`.
    pub url: String,
    /// Connections kept at most; two at least.
    pub max_connections: u32,
    /// How long a statement waits for a connection, or for another writer of an SQLite file.
    pub busy_timeout: Duration,
}

/// A pool of connections.
pub struct Database {
    connection: DatabaseConnection,
    writers: Semaphore,
}

/// A transaction that writes: everything in it happens, or nothing.
pub struct Write<'a> {
    transaction: DatabaseTransaction,
    _turn: SemaphorePermit<'a>,
}

impl Database {
    /// Opens the pool; an SQLite file is made if it is missing. For that the caller holds a file lock: of several processes that
    /// give a new file its journal, SQLite turns some away without waiting.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn connect(options: Options) -> Result<Self> {
        let mut connect = ConnectOptions::new(options.url);
        let timeout = options.busy_timeout;
        let max_connections = options.max_connections.max(2);
        connect
            .max_connections(max_connections)
            .acquire_timeout(timeout)
            .connect_timeout(timeout)
            .sqlx_logging(false)
            // After some executions PostgreSQL would make one plan for every pattern, which reads the whole trigram index for
            // `%`: minutes, where a plan of its own takes milliseconds.
            .map_sqlx_postgres_opts(|postgres| postgres.options([("plan_cache_mode", "force_custom_plan")]))
            .map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .busy_timeout(timeout)
                    .pragma("journal_mode", "WAL")
                    // What was answered survives a power failure, not only the end of the process.
                    .pragma("synchronous", "FULL")
            });
        let connection = Connector::connect(connect).await?;
        let sqlite = connection.get_database_backend() == DatabaseBackend::Sqlite;
        // A transaction may ask what the caller is allowed, on another connection: half of them stay free for that.
        let writers = if sqlite { 1 } else { (max_connections / 2).max(1) };
        Ok(Self { connection, writers: Semaphore::new(writers as usize) })
    }

    /// For statements that only read.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Which of the two databases this is.
    pub fn is_sqlite(&self) -> bool {
        self.connection.get_database_backend() == DatabaseBackend::Sqlite
    }

    /// Begins a transaction that writes. Writers queue here, in order: on SQLite one at a time, instead of polling the file's
    /// lock.
    ///
    /// # Errors
    /// If no connection becomes free in time.
    pub async fn write(&self) -> Result<Write<'_>> {
        let turn = self.writers.acquire().await.map_err(Error::internal)?;
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        Ok(Write { transaction: self.connection.begin_with_options(options).await?, _turn: turn })
    }

    /// As [`Database::write`], and no two such transactions run at once, over all nodes.
    ///
    /// # Errors
    /// If no connection becomes free in time.
    pub async fn write_alone(&self) -> Result<Write<'_>> {
        let write = self.write().await?;
        if !self.is_sqlite() {
            write.on().execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LONE_WRITER_LOCK})")).await?;
        }
        Ok(write)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.connection.ping().await?)
    }

    /// Runs every change of the schema that was not run yet. Safe to call from several nodes at once on PostgreSQL; for
    /// SQLite the caller holds a file lock.
    ///
    /// # Errors
    /// If a change fails; it then happened not at all.
    pub async fn migrate(&self) -> Result<()> {
        if self.is_sqlite() {
            // One transaction in place of one each: the disk is waited for once. It writes from its beginning: one that looks
            // first is turned away where another process, which serves from the same file, has written since.
            let write = self.write().await?;
            Migrator::up(write.on(), None).await?;
            return write.commit().await;
        }
        let lock = self.connection.begin().await?;
        lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        Migrator::up(&self.connection, None).await?;
        Ok(lock.commit().await?)
    }

    /// Undoes every change of the schema, newest first.
    ///
    /// # Errors
    /// If a change cannot be undone.
    pub async fn unmigrate(&self) -> Result<()> {
        Ok(Migrator::down(&self.connection, None).await?)
    }

    /// Each change of the schema by name, and whether it was run. Writes nothing.
    ///
    /// # Errors
    /// If the database cannot be read, or holds changes that this version does not know.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>> {
        let all = Migrator::get_migration_with_status_read_only(&self.connection).await?;
        let applied = |status| matches!(status, migrations::MigrationStatus::Applied);
        Ok(all.iter().map(|change| (change.name().to_owned(), applied(change.status()))).collect())
    }
}

impl Write<'_> {
    /// For statements inside the transaction.
    pub fn on(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// Makes everything in the transaction happen.
    ///
    /// # Errors
    /// If the database refuses; then nothing happened.
    pub async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}
