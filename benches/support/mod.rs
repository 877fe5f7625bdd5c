//! What all benchmarks stand on: a gateway's rooms over a database full of clients.

mod dialect;
pub mod house;
#[allow(dead_code, reason = "the tests' own way to a PostgreSQL; not all of it is needed here")]
#[path = "../../tests/it/support/postgres.rs"]
mod postgres;

pub use house::House;

/// Which of the two databases.
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

/// Where the PostgreSQL server logs.
mod notes {
    use std::path::PathBuf;

    pub fn folder() -> PathBuf {
        env!("CARGO_TARGET_TMPDIR").into()
    }
}
