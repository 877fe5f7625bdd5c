//! Folds the names of tenants and clients again, by Unicode case folding.

use sea_orm::ExprTrait;
use sea_orm::prelude::Uuid;
use sea_orm_migration::prelude::*;
use tenant_gateway_folding::fold;

/// Rows in one batch.
const BATCH: u64 = 500;

const TABLES: [&str; 2] = ["tenants", "clients"];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            refold(manager, table, fold).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            refold(manager, table, without_letter_case).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// The folding before this change.
fn without_letter_case(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Updates the folded names of a table that differ from `fold` of the name.
async fn refold(
    manager: &SchemaManager<'_>,
    table: &'static str,
    fold: fn(&str) -> String,
) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let mut last: Option<Uuid> = None;
    loop {
        let mut batch = Query::select();
        batch
            .columns(["id", "name", "name_folded"])
            .from(table)
            .order_by("id", Order::Asc)
            .limit(BATCH);
        if let Some(last) = last {
            batch.and_where(Expr::col("id").gt(last));
        }
        let rows = connection.query_all(&batch).await?;
        for row in &rows {
            let id: Uuid = row.try_get("", "id")?;
            let folded = fold(&row.try_get::<String>("", "name")?);
            if folded != row.try_get::<String>("", "name_folded")? {
                let mut update = Query::update();
                update.table(table).value("name_folded", folded).and_where(Expr::col("id").eq(id));
                connection.execute(&update).await?;
            }
            last = Some(id);
        }
        if rows.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}
