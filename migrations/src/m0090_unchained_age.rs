//! An index by age of the audit records that are in no chain, which the retention deletes first.

use sea_orm_migration::prelude::*;

crate::migration!(up: up, down: down);

fn up(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["CREATE INDEX audit_log_unchained_age ON audit_log (at) WHERE position IS NULL".to_owned()]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP INDEX audit_log_unchained_age".to_owned()]
}
