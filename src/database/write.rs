//! Transactions that write.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::SemaphorePermit;

use super::Database;
use super::failure::Failure;
use super::fair_permits::FairPermit;
use super::monitored::{Monitored, Transaction, answer_within};
use super::write_span::WriteSpan;
use crate::entropy::{Entropy, SystemEntropy};
use crate::error::{Error, ErrorCode, Result};

/// The most attempts at a transaction that conflicts with others.
const ATTEMPTS_MAX: u32 = 4;

/// The longest pause before the second attempt; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(10);

/// A transaction that writes. Dropping it rolls it back.
pub struct Write<'a> {
    transaction: Transaction,
    database: &'a Database,
    _permits: (FairPermit, SemaphorePermit<'a>),
}

impl Database {
    /// Runs `work` in a transaction and commits it. A serialization failure or a deadlock rolls back
    /// and runs `work` again, a few times: `work` must have no effects beside its writes through the
    /// transaction, which it must not keep. Any other error rolls back and is returned.
    ///
    /// # Errors
    /// Those of `work`; `DATABASE_UNAVAILABLE` as [`Database::begin`]; a `CONFLICT` that is
    /// retryable if every attempt conflicted with other transactions.
    pub async fn transaction<'a, T, W>(&'a self, work: impl Fn(Arc<Write<'a>>) -> W) -> Result<T>
    where
        W: Future<Output = Result<T>>,
    {
        let span = WriteSpan::begin(self);
        let mut attempt = 1;
        loop {
            let write = Arc::new(self.begin().await?);
            // The functions called below are not generic: they are compiled once for all kinds of work.
            let outcome = match work(write.clone()).await {
                Ok(value) => commit(write).await.map(|()| value),
                Err(error) => Err(roll_back(write, error).await),
            };
            match outcome {
                Err(error) if error.is_write_conflict() && attempt < ATTEMPTS_MAX => {
                    back_off(&error, attempt).await;
                    attempt += 1;
                }
                outcome => {
                    span.end(attempt, outcome.as_ref().err());
                    return outcome;
                }
            }
        }
    }

    /// Begins a transaction that is not repeated after a conflict. The gateway itself writes only
    /// through [`Database::transaction`]; a test enforces that. Writers queue here, in order: on
    /// SQLite one at a time, instead of polling the file's lock.
    ///
    /// # Errors
    /// `DATABASE_UNAVAILABLE` if it cannot begin within the busy timeout, or if the file of an
    /// SQLite database is not the one that was opened.
    pub async fn begin(&self) -> Result<Write<'_>> {
        self.health.check_file().map_err(|failure| self.unavailable(failure))?;
        // The writes of one client queue among themselves, so that others find few before them.
        let queue = async { (self.write_permits.acquire().await, self.writers.acquire().await) };
        let queue = tokio::time::timeout(self.busy_timeout, queue).await;
        let (permit, writer) = queue.map_err(|_| self.unavailable(Failure::Busy))?;
        let writer = writer.map_err(Error::internal)?;
        // It may have become unreachable while this write waited for a permit.
        self.health.admit()?;
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        match self.pool.unmonitored().begin_with_options(options).await {
            Ok(transaction) => {
                self.health.note_answer();
                let timeout = self.statement_timeout();
                let transaction = Monitored::transaction(transaction, self.health.clone(), timeout);
                Ok(Write { transaction, database: self, _permits: (permit, writer) })
            }
            Err(error) if self.is_sqlite() => {
                Err(self.named(self.health.note_failed_write(error).into()))
            }
            Err(error) => Err(self.health.note_failure(error).await.into()),
        }
    }
}

impl Write<'_> {
    /// The connection for statements inside the transaction. After a failed statement it rejects
    /// further ones.
    pub fn on(&self) -> &Transaction {
        &self.transaction
    }

    /// Runs the last steps of the transaction and commits it.
    ///
    /// # Errors
    /// If a statement failed, or the database refuses: nothing was written. If the connection ended
    /// before the answer, the error says that the outcome is unknown.
    pub async fn commit(self) -> Result<()> {
        let database = self.database;
        if !self.transaction.all_succeeded() {
            // PostgreSQL would answer such a COMMIT with a rollback and no error.
            self.roll_back().await;
            return Err(Error::internal(
                "a statement of the transaction did not succeed: it was rolled back",
            ));
        }
        if let Err(error) = self.transaction.run_last_steps().await {
            self.roll_back().await;
            return Err(error);
        }
        // The pool hands out no connection that is inside a transaction, so this ends the
        // outermost.
        let commit = self.transaction.into_inner().commit();
        match answer_within(database.statement_timeout(), commit).await {
            Ok(()) => {}
            Err(error) => {
                let failure = Failure::of(&error);
                let error = database.named(database.health.note_failed_write(error).into());
                let is_unknown = matches!(failure, Failure::Unreachable | Failure::Io);
                return Err(if is_unknown { error.with_unknown_outcome() } else { error });
            }
        }
        database
            .health
            .check_file()
            .map_err(|failure| database.unavailable(failure).with_unknown_outcome())?;
        database.health.note_commit();
        Ok(())
    }

    /// Rolls back. The pool closes a connection that cannot.
    pub(super) async fn roll_back(self) {
        let timeout = self.database.statement_timeout();
        if let Err(error) = answer_within(timeout, self.transaction.into_inner().rollback()).await {
            tracing::debug!(cause = %error, "rollback failed");
        }
    }
}

impl Database {
    fn unavailable(&self, failure: Failure) -> Error {
        let cause = format!("{}: {}", self.health.place(), failure.message());
        Error::new(ErrorCode::DatabaseUnavailable, failure.message()).because(cause)
    }

    /// The same error with a cause that names the SQLite file.
    pub(super) fn named(&self, error: Error) -> Error {
        if !self.is_sqlite() || error.code() != ErrorCode::DatabaseUnavailable {
            return error;
        }
        let cause = format!("{}: {}", self.health.place(), error.explained());
        error.because(cause)
    }
}

/// Commits a transaction that its work no longer uses.
async fn commit(write: Arc<Write<'_>>) -> Result<()> {
    sole(write)?.commit().await
}

/// Rolls back a transaction that its work no longer uses, and returns the error of the work.
async fn roll_back(write: Arc<Write<'_>>, error: Error) -> Error {
    match sole(write) {
        Ok(write) => {
            write.roll_back().await;
            error
        }
        Err(in_use) => in_use,
    }
}

/// The transaction, which its work must not have kept.
fn sole(write: Arc<Write<'_>>) -> Result<Write<'_>> {
    Arc::into_inner(write).ok_or_else(|| Error::internal("a transaction is still in use"))
}

/// Waits before the attempt after this one, which conflicted with another transaction.
async fn back_off(error: &Error, attempt: u32) {
    tracing::debug!(attempt, cause = %error, "transaction conflicts with another");
    tokio::time::sleep(pause_after(attempt)).await;
}

/// Exponential backoff with jitter, so that conflicting transactions do not collide again.
fn pause_after(attempt: u32) -> Duration {
    let mut byte = [0];
    SystemEntropy.fill(&mut byte);
    PAUSE * 2_u32.pow(attempt - 1) * u32::from(byte[0]) / 255
}
