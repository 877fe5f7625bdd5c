//! The health of the database, inferred from recent failures.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};
use tokio::time::{Instant, timeout};

use super::failure::Failure;
use super::sqlite_file::SqliteFile;

/// The pause between two attempts to reach a server that cannot be reached.
const ATTEMPT_EVERY: Duration = Duration::from_millis(500);

/// The timeout of a diagnostic connection, which finds out why the pool has no connection.
const DIAGNOSIS_TIMEOUT: Duration = Duration::from_millis(500);

/// Tracks what prevents the database from working, so that requests fail at once meanwhile.
pub struct Health {
    server: Server,
    state: Mutex<State>,
    /// Held while a diagnostic connection is made: one at a time is enough.
    diagnosis: tokio::sync::Mutex<()>,
}

/// The location of the database.
pub(super) enum Server {
    Sqlite(Option<SqliteFile>),
    Postgres(Box<PgConnectOptions>),
}

#[derive(Default)]
struct State {
    /// A failure that lasts until the process ends.
    lasting: Option<Failure>,
    /// A failure that lasts until a write succeeds.
    writes: Option<Failure>,
    /// When the readiness check last tried a write.
    write_checked: Option<Instant>,
    /// When the last attempt was made to reach a server that cannot be reached.
    unreachable: Option<Instant>,
}

impl Health {
    pub(super) fn new(server: Server) -> Self {
        Self { server, state: Mutex::default(), diagnosis: tokio::sync::Mutex::default() }
    }

    /// The failure that prevents the database from working, if one is known.
    pub fn failure(&self) -> Option<Failure> {
        let state = self.state();
        let unreachable = state.unreachable.map(|_| Failure::Unreachable);
        state.lasting.or(unreachable).or(state.writes)
    }

    /// The failure that lasts until the process ends, if there is one.
    pub(super) fn lasting_failure(&self) -> Option<Failure> {
        self.state().lasting
    }

    /// Finds out why the database did not answer in time.
    pub(super) async fn diagnose_silence(&self) -> Failure {
        let error = self.note_failure(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)).await;
        self.failure().unwrap_or_else(|| Failure::of(&error))
    }

    /// The failure of the last write, if space or a lock was its cause.
    pub(super) fn write_failure(&self) -> Option<Failure> {
        self.state().writes
    }

    /// Whether the readiness check may try a write. The check needs no authentication, and a write
    /// costs a disk sync.
    pub(super) fn admit_write_check(&self) -> bool {
        let mut state = self.state();
        let is_due = state.write_checked.is_none_or(|last| last.elapsed() >= ATTEMPT_EVERY);
        if is_due {
            state.write_checked = Some(Instant::now());
        }
        is_due
    }

    /// Admits a statement, unless the server could not be reached a moment ago: then one statement
    /// every half second is the next attempt, and the others fail at once.
    pub(super) fn admit(&self) -> Result<(), DbErr> {
        let mut state = self.state();
        match &mut state.unreachable {
            Some(last) if last.elapsed() < ATTEMPT_EVERY => {
                Err(unreachable("a moment ago it could not be reached"))
            }
            Some(last) => {
                *last = Instant::now();
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Notes that a statement was answered.
    pub(super) fn note_answer(&self) {
        if self.state().unreachable.take().is_some() {
            tracing::info!(database = self.place(), "the database can be reached again");
        }
    }

    /// Notes that a transaction was committed.
    pub(super) fn note_commit(&self) {
        self.note_answer();
        if self.state().writes.take().is_some() {
            tracing::info!(database = self.place(), "the database takes writes again");
        }
    }

    /// Notes the failure of a statement outside of any transaction, or of beginning one; returns
    /// its true cause.
    pub(super) async fn note_failure(&self, error: DbErr) -> DbErr {
        let error = match (Failure::of(&error), &error) {
            // The pool tried to connect; the error says why it could not.
            (Failure::Unreachable, DbErr::Conn(_)) => error,
            // One connection was lost, or none became free.
            (Failure::Unreachable | Failure::Busy, _) => self.diagnose(error).await,
            _ => error,
        };
        match (Failure::of(&error), &error) {
            (Failure::Unreachable, DbErr::Conn(_)) => self.note_unreachable(&error),
            (Failure::Unreachable | Failure::Busy, _) => {}
            (failure, _) => self.note(failure, &error),
        }
        error
    }

    /// Notes the failure of a write.
    pub(super) fn note_failed_write(&self, error: DbErr) -> DbErr {
        match Failure::of(&error) {
            // A locked row says nothing about the server.
            Failure::Busy if !self.is_sqlite() => {}
            failure => self.note(failure, &error),
        }
        error
    }

    /// Checks that the SQLite file is still the one that was opened: otherwise writes would be lost.
    pub(super) fn check_file(&self) -> Result<(), Failure> {
        let Server::Sqlite(Some(file)) = &self.server else { return Ok(()) };
        match file.check() {
            Ok(()) => Ok(()),
            Err(error) => {
                self.note_lasting(Failure::FileReplaced, &error);
                Err(Failure::FileReplaced)
            }
        }
    }

    /// Checks that the disk of an SQLite file has space for a write.
    pub(super) fn check_space(&self) -> std::io::Result<()> {
        match &self.server {
            Server::Sqlite(Some(file)) => file.check_space(),
            _ => Ok(()),
        }
    }

    /// The path of the SQLite file, or host and port of the server.
    pub(super) fn place(&self) -> String {
        match &self.server {
            Server::Sqlite(file) => {
                file.as_ref().map_or_else(|| "memory".to_owned(), SqliteFile::to_string)
            }
            Server::Postgres(options) => format!("{}:{}", options.get_host(), options.get_port()),
        }
    }

    fn is_sqlite(&self) -> bool {
        matches!(self.server, Server::Sqlite(_))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, failure: Failure, error: &DbErr) {
        if failure == Failure::Damaged {
            self.note_lasting(failure, error);
        } else if failure.prevents_writes() && self.state().writes.replace(failure) != Some(failure)
        {
            tracing::error!(database = self.place(), cause = %error, "{}", failure.message());
        }
    }

    fn note_lasting(&self, failure: Failure, error: &dyn std::error::Error) {
        if self.state().lasting.replace(failure).is_none() {
            tracing::error!(database = self.place(), cause = %error, "{}", failure.message());
        }
    }

    fn note_unreachable(&self, error: &DbErr) {
        if self.state().unreachable.replace(Instant::now()).is_none() {
            tracing::error!(database = self.place(), cause = %error, "{}", Failure::Unreachable.message());
        }
    }

    /// Finds out why a connection was lost or none became free. If the server can be reached, the
    /// error stays as it is.
    async fn diagnose(&self, error: DbErr) -> DbErr {
        let Server::Postgres(options) = &self.server else { return error };
        let Ok(_alone) = self.diagnosis.try_lock() else { return error };
        connect_once(options, DIAGNOSIS_TIMEOUT).await.err().unwrap_or(error)
    }
}

/// Connects once, so that an error names the cause: a pool would retry and then report a timeout.
pub(super) async fn connect_once(options: &PgConnectOptions, limit: Duration) -> Result<(), DbErr> {
    match timeout(limit, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => {
            connection.close().await.ok();
            Ok(())
        }
        Ok(Err(cause)) => Err(connection_error(cause)),
        Err(_) => Err(unreachable("it does not answer")),
    }
}

fn connection_error(cause: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(cause)))
}

fn unreachable(reason: &str) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(reason.to_owned()))
}
