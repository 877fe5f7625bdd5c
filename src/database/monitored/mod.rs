//! A connection that reports its failures to the health of the database.

mod last_step;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DbErr, ExecResult, QueryResult, RuntimeErr, SqlxError,
    Statement,
};

use tokio::sync::Mutex;

use super::fair_permits::FairPermits;
use super::health::Health;
use last_step::LastSteps;

pub use last_step::{LastStep, Transaction};

/// A pool or a transaction that reports failed statements to the health of the database.
pub struct Monitored<C> {
    inner: C,
    health: Arc<Health>,
    /// Only a transaction is unusable after its first failed statement.
    is_transaction: bool,
    /// Shares of the pool; a transaction has its connection already.
    permits: Option<FairPermits>,
    /// How long a statement may take.
    timeout: Option<Duration>,
    /// Statements that were begun.
    begun: AtomicU64,
    failed: AtomicBool,
    /// Statements that were begun and have not succeeded: they failed, or their caller stopped
    /// waiting.
    unfinished: AtomicUsize,
    /// The step that a transaction takes right before its commit.
    last_steps: Mutex<LastSteps>,
}

impl<C: ConnectionTrait> Monitored<C> {
    /// A pool: its statements are independent of each other.
    pub(super) fn pool(
        inner: C,
        health: Arc<Health>,
        timeout: Option<Duration>,
        permits: FairPermits,
    ) -> Self {
        Self { permits: Some(permits), ..Self::new(inner, health, false, timeout) }
    }

    /// A transaction. After a failed statement it rejects further ones: SQLite may have rolled back
    /// already and would run them outside of any transaction.
    pub(super) fn transaction(inner: C, health: Arc<Health>, timeout: Option<Duration>) -> Self {
        Self::new(inner, health, true, timeout)
    }

    fn new(inner: C, health: Arc<Health>, is_transaction: bool, timeout: Option<Duration>) -> Self {
        Self {
            inner,
            health,
            is_transaction,
            permits: None,
            timeout,
            begun: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            unfinished: AtomicUsize::new(0),
            last_steps: Mutex::default(),
        }
    }

    /// The last steps of the transaction.
    fn last_steps(&self) -> &Mutex<LastSteps> {
        &self.last_steps
    }

    /// How many statements were begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// The connection without monitoring.
    pub(super) fn unmonitored(&self) -> &C {
        &self.inner
    }

    /// Gives the connection back, without monitoring.
    pub(super) fn into_inner(self) -> C {
        self.inner
    }

    /// Whether every statement that was begun has succeeded.
    pub(super) fn all_succeeded(&self) -> bool {
        self.unfinished.load(Ordering::SeqCst) == 0
    }

    async fn watch<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        if self.is_transaction {
            return self.watch_in_transaction(statement).await;
        }
        let _permit = match &self.permits {
            Some(permits) => Some(permits.acquire().await),
            None => None,
        };
        self.health.admit()?;
        match answer_within(self.timeout, statement).await {
            Ok(answer) => {
                self.health.note_answer();
                Ok(answer)
            }
            Err(error) => Err(self.health.note_failure(error).await),
        }
    }

    async fn watch_in_transaction<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        if self.failed.load(Ordering::SeqCst) {
            let reason = "a statement of this transaction has failed; it accepts no further ones";
            return Err(DbErr::Custom(reason.to_owned()));
        }
        self.unfinished.fetch_add(1, Ordering::SeqCst);
        match answer_within(self.timeout, statement).await {
            Ok(answer) => {
                self.unfinished.fetch_sub(1, Ordering::SeqCst);
                Ok(answer)
            }
            Err(error) => {
                self.failed.store(true, Ordering::SeqCst);
                Err(self.health.note_failed_write(error))
            }
        }
    }
}

/// The result of a statement, or an error if it takes longer than `limit`: a silent server would
/// otherwise hold the request until TCP gives up.
pub(super) async fn answer_within<T>(
    limit: Option<Duration>,
    statement: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let Some(limit) = limit else { return statement.await };
    tokio::time::timeout(limit, statement).await.unwrap_or_else(|_| {
        let silence =
            io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {limit:?}"));
        Err(DbErr::Query(RuntimeErr::SqlxError(Arc::new(SqlxError::Io(silence)))))
    })
}

#[async_trait]
impl<C: ConnectionTrait + Send> ConnectionTrait for Monitored<C> {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.watch(self.inner.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.watch(self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.watch(self.inner.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.watch(self.inner.query_all_raw(statement)).await
    }
}
