//! Runs migrations in their order, each in a transaction, and remembers in the table
//! `seaql_migrations` which were run.

use std::time::{SystemTime, UNIX_EPOCH};

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseExecutor, DatabaseTransaction, DbErr,
    IntoDatabaseExecutor, Statement, TransactionTrait, Value,
};

use crate::Migrator;

/// Databases of earlier versions have this table: `sea-orm-migration` made it.
const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS seaql_migrations (
    version VARCHAR NOT NULL PRIMARY KEY,
    applied_at BIGINT NOT NULL
)";

/// The name under which a database remembers a migration.
pub trait MigrationName {
    /// The name of its file, without the extension.
    fn name(&self) -> &'static str;
}

/// One change of the schema.
#[async_trait]
pub trait MigrationTrait: MigrationName + Send + Sync {
    /// Applies it.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr>;

    /// Undoes it.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr>;
}

/// The transaction in which a migration runs.
pub struct SchemaManager<'c> {
    transaction: &'c DatabaseTransaction,
}

impl SchemaManager<'_> {
    /// The connection for the migration's statements.
    pub fn get_connection(&self) -> &DatabaseTransaction {
        self.transaction
    }

    /// SQLite or PostgreSQL.
    pub fn get_database_backend(&self) -> DatabaseBackend {
        self.transaction.get_database_backend()
    }
}

impl Migrator {
    /// Runs every migration that was not run yet, oldest first.
    ///
    /// # Errors
    /// If one fails, which is then rolled back; if the database remembers one that is not known
    /// here.
    pub async fn up<'c>(on: impl IntoDatabaseExecutor<'c>) -> Result<(), DbErr> {
        let on = on.into_database_executor();
        let applied = applied(&on).await?;
        for migration in Self::migrations() {
            let name = migration.name();
            if applied.iter().any(|applied| applied == name) {
                continue;
            }
            let transaction = on.begin().await?;
            migration.up(&SchemaManager { transaction: &transaction }).await?;
            remember(&transaction, name).await?;
            transaction.commit().await?;
            tracing::info!(change = name, "schema change applied");
        }
        Ok(())
    }

    /// Undoes the last `steps` migrations that were run, newest first; all of them without `steps`.
    ///
    /// # Errors
    /// If one fails, which is then rolled back; if the database remembers one that is not known
    /// here.
    pub async fn down<'c>(
        on: impl IntoDatabaseExecutor<'c>,
        steps: Option<usize>,
    ) -> Result<(), DbErr> {
        let on = on.into_database_executor();
        let applied = applied(&on).await?;
        let mut migrations = Self::migrations();
        migrations.retain(|migration| applied.iter().any(|name| name == migration.name()));
        for migration in migrations.iter().rev().take(steps.unwrap_or(usize::MAX)) {
            let transaction = on.begin().await?;
            migration.down(&SchemaManager { transaction: &transaction }).await?;
            forget(&transaction, migration.name()).await?;
            transaction.commit().await?;
            tracing::info!(change = migration.name(), "schema change undone");
        }
        Ok(())
    }
}

/// The names of the migrations that were run.
async fn applied(on: &DatabaseExecutor<'_>) -> Result<Vec<String>, DbErr> {
    on.execute_unprepared(CREATE_TABLE).await?;
    let select = "SELECT version FROM seaql_migrations ORDER BY version";
    let rows = on.query_all_raw(Statement::from_string(on.get_database_backend(), select)).await?;
    let applied: Vec<String> =
        rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?;
    let known = Migrator::migrations();
    let unknown = applied.iter().find(|name| known.iter().all(|known| known.name() != **name));
    if let Some(name) = unknown {
        return Err(DbErr::Migration(format!(
            "the database has the change {name}, which this version does not know"
        )));
    }
    Ok(applied)
}

async fn remember(on: &DatabaseTransaction, name: &'static str) -> Result<(), DbErr> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    let sql = "INSERT INTO seaql_migrations (version, applied_at) VALUES ($1, $2)";
    write(on, sql, [name.into(), seconds.into()]).await
}

async fn forget(on: &DatabaseTransaction, name: &'static str) -> Result<(), DbErr> {
    write(on, "DELETE FROM seaql_migrations WHERE version = $1", [name.into()]).await
}

async fn write<const N: usize>(
    on: &DatabaseTransaction,
    sql: &str,
    values: [Value; N],
) -> Result<(), DbErr> {
    on.execute_raw(Statement::from_sql_and_values(on.get_database_backend(), sql, values)).await?;
    Ok(())
}
