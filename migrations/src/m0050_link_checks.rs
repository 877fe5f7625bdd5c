//! The result of the last check of a link: whether the installation has the tenant that the link
//! names, and why it could not be seen.

use sea_orm_migration::prelude::*;

crate::migration!(up: up, down: down);

const COLUMNS: [&str; 4] = ["verification", "failure", "failed_at", "verified_at"];

fn up(_: &SchemaManager<'_>) -> Vec<String> {
    let types = ["TEXT NOT NULL DEFAULT 'PENDING'", "TEXT", "BIGINT", "BIGINT"];
    let add = |(column, kind)| format!("ALTER TABLE upstream_links ADD COLUMN {column} {kind}");
    COLUMNS.into_iter().zip(types).map(add).collect()
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    let drop = |column| format!("ALTER TABLE upstream_links DROP COLUMN {column}");
    COLUMNS.into_iter().map(drop).collect()
}
