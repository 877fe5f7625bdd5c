//! Request ids and repetitions of audit records, and an index by age.

use sea_orm_migration::prelude::*;

crate::migration!(up: up, down: down);

/// `request_id` holds the gateway's own id from now on. The index serves the deletion of the oldest
/// records.
fn up(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "ALTER TABLE audit_log ADD COLUMN caller_request_id TEXT".to_owned(),
        "ALTER TABLE audit_log ADD COLUMN count BIGINT NOT NULL DEFAULT 1".to_owned(),
        "CREATE INDEX audit_log_age ON audit_log (at)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "DROP INDEX audit_log_age".to_owned(),
        "ALTER TABLE audit_log DROP COLUMN count".to_owned(),
        "ALTER TABLE audit_log DROP COLUMN caller_request_id".to_owned(),
    ]
}
