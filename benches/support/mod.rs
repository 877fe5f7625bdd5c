//! Shared by all benchmarks: the gateway's services over a database full of clients.

mod dialect;
pub mod fixture;
#[allow(dead_code, reason = "the tests' own way to a PostgreSQL; not all of it is needed here")]
#[path = "../../tests/it/support/postgres.rs"]
mod postgres;

pub use fixture::Fixture;

/// The database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The log folder of the PostgreSQL server.
mod notes {
    use std::path::PathBuf;

    pub fn folder() -> PathBuf {
        env!("CARGO_TARGET_TMPDIR").into()
    }
}
