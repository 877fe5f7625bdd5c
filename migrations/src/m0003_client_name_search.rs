//! An index for `%` searches over client names.

use sea_orm_migration::prelude::*;

use crate::by_backend;

crate::migration!(up: up, down: down);

/// PostgreSQL: a trigram index, which serves LIKE. SQLite: an FTS5 trigram table without content of
/// its own, maintained by triggers. Names are already case-folded, so it compares exactly.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    by_backend(
        manager,
        &[
            "CREATE VIRTUAL TABLE client_names USING fts5 (
                name_folded, content='clients', content_rowid='seq', detail='full',
                tokenize='trigram case_sensitive 1'
            )",
            "CREATE TRIGGER client_names_insert AFTER INSERT ON clients BEGIN
                INSERT INTO client_names (rowid, name_folded) VALUES (new.seq, new.name_folded);
            END",
            "CREATE TRIGGER client_names_delete AFTER DELETE ON clients BEGIN
                INSERT INTO client_names (client_names, rowid, name_folded) VALUES ('delete', old.seq, old.name_folded);
            END",
            "CREATE TRIGGER client_names_update AFTER UPDATE OF name_folded ON clients BEGIN
                INSERT INTO client_names (client_names, rowid, name_folded) VALUES ('delete', old.seq, old.name_folded);
                INSERT INTO client_names (rowid, name_folded) VALUES (new.seq, new.name_folded);
            END",
        ][..],
        &[
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "CREATE INDEX client_names ON clients USING gin (name_folded gin_trgm_ops)",
        ][..],
    )
    .iter()
    .map(|statement| (*statement).to_owned())
    .collect()
}

fn down(manager: &SchemaManager<'_>) -> Vec<String> {
    by_backend(
        manager,
        &[
            "DROP TRIGGER client_names_insert",
            "DROP TRIGGER client_names_delete",
            "DROP TRIGGER client_names_update",
            "DROP TABLE client_names",
        ][..],
        // The extension remains, because others may use it.
        &["DROP INDEX client_names"][..],
    )
    .iter()
    .map(|statement| (*statement).to_owned())
    .collect()
}
