//! The database's clock.

use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

use super::{Database, Write};
use crate::clock::Timestamp;
use crate::error::{Error, Result};

impl Database {
    /// The present moment by the database's clock, which all nodes share. A time that other nodes
    /// compare with the present, such as the end of a lease, is taken from it: the clocks of the
    /// nodes may differ.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn now(&self) -> Result<Timestamp> {
        now(self.reader()).await
    }
}

impl Write<'_> {
    /// As [`Database::now`]: the present moment, not the one at which the transaction began.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn now(&self) -> Result<Timestamp> {
        now(self.on()).await
    }
}

async fn now(on: &impl ConnectionTrait) -> Result<Timestamp> {
    let backend = on.get_database_backend();
    let sql = match backend {
        DatabaseBackend::Sqlite => {
            "SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER) AS now"
        }
        _ => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now",
    };
    let row = on.query_one_raw(Statement::from_string(backend, sql)).await?;
    let row = row.ok_or_else(|| Error::internal("the database does not tell the time"))?;
    Ok(Timestamp::from_millis(row.try_get("", "now")?))
}
