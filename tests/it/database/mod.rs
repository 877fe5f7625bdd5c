//! The database: transactions, backups, and failures of disk and server.

mod backup;
mod conflicts;
mod disk_full;
mod foreign_files;
mod io_errors;
mod newer_version;
mod silent_states;
mod transactions;
mod unreachable;

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use tenant_gateway::database::{Database, Options};

use crate::support::TestDatabase;

/// Opens a database as a gateway does, with two connections.
async fn open(database: &TestDatabase) -> Database {
    open_with(database, Duration::from_secs(10)).await
}

async fn open_with(database: &TestDatabase, busy_timeout: Duration) -> Database {
    let url = database.config().database_url().expose().to_owned();
    Database::connect(Options { url, max_connections: 4, busy_timeout }).await.unwrap()
}

async fn execute(database: &Database, sql: &str) {
    let write = database.begin().await.unwrap();
    write.on().execute_unprepared(sql).await.unwrap();
    write.commit().await.unwrap();
}

async fn count(database: &Database, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS count FROM {table}");
    let statement = Statement::from_string(database.reader().get_database_backend(), sql);
    let row = database.reader().query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "count").unwrap()
}
