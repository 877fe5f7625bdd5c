//! The records of the changes of the schema: `seaql_migrations`, which the library keeps, and
//! `schema_changes`, with the version that applied each of them.

use std::collections::BTreeMap;

use migrations::ADDITIVE;
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use tenant_gateway_migrations as migrations;

/// The version of this program, recorded beside each change that it applies.
pub(super) const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The changes that were run, in the order of their names.
pub(super) async fn applied(on: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    if !has_table(on, "seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let sql = "SELECT version FROM seaql_migrations ORDER BY version";
    let rows = on.query_all_raw(Statement::from_string(on.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get("", "version")).collect()
}

/// The version that applied each change, and whether the change is additive.
pub(super) async fn recorded(
    on: &impl ConnectionTrait,
) -> Result<BTreeMap<String, (String, bool)>, DbErr> {
    if !has_table(on, "schema_changes").await? {
        return Ok(BTreeMap::new());
    }
    let sql = "SELECT name, program_version, is_additive FROM schema_changes";
    let rows = on.query_all_raw(Statement::from_string(on.get_database_backend(), sql)).await?;
    let read = |row: &sea_orm::QueryResult| {
        let version = (row.try_get("", "program_version")?, row.try_get("", "is_additive")?);
        Ok((row.try_get("", "name")?, version))
    };
    rows.iter().map(read).collect()
}

/// Records the version that applied each change not recorded yet.
pub(super) async fn record(on: &impl ConnectionTrait) -> Result<(), DbErr> {
    let recorded = recorded(on).await?;
    let sql = "INSERT INTO schema_changes (name, program_version, is_additive) VALUES ($1, $2, $3)";
    for name in applied(on).await?.into_iter().filter(|name| !recorded.contains_key(name)) {
        let is_additive = ADDITIVE.contains(&name.as_str());
        let values: [Value; 3] = [name.into(), PROGRAM_VERSION.into(), is_additive.into()];
        on.execute_raw(Statement::from_sql_and_values(on.get_database_backend(), sql, values))
            .await?;
    }
    Ok(())
}

/// Removes the records of changes that were undone.
pub(super) async fn forget_undone(on: &impl ConnectionTrait) -> Result<(), DbErr> {
    if has_table(on, "schema_changes").await? {
        let sql =
            "DELETE FROM schema_changes WHERE name NOT IN (SELECT version FROM seaql_migrations)";
        on.execute_unprepared(sql).await?;
    }
    Ok(())
}

async fn has_table(on: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    let sql = match on.get_database_backend() {
        sea_orm::DatabaseBackend::Sqlite => {
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1"
        }
        _ => {
            "SELECT 1 FROM pg_class WHERE relname = $1 AND relnamespace = \
            current_schema()::regnamespace"
        }
    };
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, [name.into()]);
    Ok(on.query_one_raw(statement).await?.is_some())
}
