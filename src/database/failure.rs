//! Classification of database errors by what a caller and the node can do about them.

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::sqlite::SqliteError;
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use crate::error::{Error, ErrorCode};

/// A class of database errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Two transactions conflict (40001, 40P01, SQLITE_BUSY_SNAPSHOT): repeating this one may
    /// succeed.
    Conflict,
    /// A lock or a connection did not become free in time.
    Busy,
    /// The server cannot be reached, refuses connections, or ended this one.
    Unreachable,
    /// There is no space left.
    DiskFull,
    /// The database or its file system takes no writes.
    ReadOnly,
    /// The file system reports an error, or the file cannot be opened.
    Io,
    /// The content is damaged.
    Damaged,
    /// The file was deleted or replaced while it was open.
    FileReplaced,
    /// The statement itself is wrong: a bug of the gateway.
    Statement,
}

impl Failure {
    /// Classifies an error of the database.
    pub fn of(error: &DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(_) => Self::Busy,
            DbErr::Conn(RuntimeErr::SqlxError(error))
            | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error)) => of_driver(error),
            DbErr::Conn(RuntimeErr::Internal(_)) => Self::Unreachable,
            _ => Self::Statement,
        }
    }

    /// The message for callers and for the readiness check. It contains nothing of the error's own
    /// text.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Conflict => "another transaction changed the same data; repeat the request",
            Self::Busy => "the database is busy",
            Self::Unreachable => "the database cannot be reached",
            Self::DiskFull => "the database has no space left",
            Self::ReadOnly => "the database is read-only",
            Self::Io => "the database's files cannot be read or written",
            Self::Damaged => "the database is damaged",
            Self::FileReplaced => "the database file was deleted or replaced",
            Self::Statement => "something failed on our side",
        }
    }

    /// Whether the node is not ready until a write succeeds.
    pub(super) const fn prevents_writes(self) -> bool {
        matches!(self, Self::Busy | Self::DiskFull | Self::ReadOnly | Self::Io)
    }
}

fn of_driver(error: &SqlxError) -> Failure {
    match error {
        SqlxError::Database(error) => match error.try_downcast_ref::<SqliteError>() {
            Some(error) => of_sqlite(error.code().and_then(|code| code.parse().ok()).unwrap_or(0)),
            None => of_postgres(&error.code().unwrap_or_default()),
        },
        SqlxError::PoolTimedOut => Failure::Busy,
        // A protocol error is a connection that ended in the middle of a message.
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => Failure::Unreachable,
        _ => Failure::Statement,
    }
}

/// Extended result codes of SQLite; the lowest byte is the primary one.
fn of_sqlite(code: u32) -> Failure {
    const BUSY_SNAPSHOT: u32 = 517;
    match (code, code & 0xff) {
        (BUSY_SNAPSHOT, _) => Failure::Conflict,
        (_, 5 | 6) => Failure::Busy,
        (_, 8) => Failure::ReadOnly,
        (_, 10 | 14) => Failure::Io,
        (_, 13) => Failure::DiskFull,
        (_, 11 | 26) => Failure::Damaged,
        _ => Failure::Statement,
    }
}

/// SQLSTATE of PostgreSQL.
fn of_postgres(state: &str) -> Failure {
    match state {
        "40001" | "40P01" => Failure::Conflict,
        "55P03" => Failure::Busy,
        "25006" => Failure::ReadOnly,
        "53100" => Failure::DiskFull,
        "58030" => Failure::Io,
        "XX001" | "XX002" => Failure::Damaged,
        "53300" | "57P01" | "57P02" | "57P03" => Failure::Unreachable,
        _ if state.starts_with("08") => Failure::Unreachable,
        _ => Failure::Statement,
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        let failure = Failure::of(&error);
        match failure {
            Failure::Conflict => Self::write_conflict(failure.message()).because(error),
            Failure::Statement => Self::internal(error),
            _ => Self::new(ErrorCode::DatabaseUnavailable, failure.message()).because(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_sqlite_codes_are_read_by_their_primary_code() {
        // SQLITE_IOERR_WRITE, SQLITE_READONLY_DBMOVED, SQLITE_CORRUPT_INDEX,
        // SQLITE_CONSTRAINT_UNIQUE.
        for (code, failure) in [
            (517, Failure::Conflict),
            (5, Failure::Busy),
            (13, Failure::DiskFull),
            (778, Failure::Io),
            (1032, Failure::ReadOnly),
            (779, Failure::Damaged),
            (26, Failure::Damaged),
            (2067, Failure::Statement),
        ] {
            assert_eq!(of_sqlite(code), failure, "{code}");
        }
    }

    #[test]
    fn serialization_failures_and_deadlocks_of_postgres_are_conflicts() {
        assert_eq!(of_postgres("40001"), Failure::Conflict);
        assert_eq!(of_postgres("40P01"), Failure::Conflict);
        assert_eq!(of_postgres("08006"), Failure::Unreachable);
        assert_eq!(of_postgres("23505"), Failure::Statement);
    }
}
