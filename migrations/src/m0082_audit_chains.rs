//! Chains of audit records: each record holds the hash of the one before in its tenant.

use sea_orm_migration::prelude::*;

use crate::uuid;

crate::migration!(up: up, down: down);

/// Records written before this migration have no position. A row of `audit_chains` holds the newest record of a chain,
/// the newest one that was pruned (the anchor), and the number of the chain's first record. No
/// foreign keys: a record outlives its tenant.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    vec![
        "ALTER TABLE audit_log ADD COLUMN position BIGINT".to_owned(),
        "ALTER TABLE audit_log ADD COLUMN previous_hash TEXT".to_owned(),
        "ALTER TABLE audit_log ADD COLUMN hash TEXT".to_owned(),
        "CREATE UNIQUE INDEX audit_log_chain ON audit_log (tenant_id, position)
            WHERE position IS NOT NULL"
            .to_owned(),
        "CREATE INDEX audit_log_chain_age ON audit_log (tenant_id, at, position)
            WHERE position IS NOT NULL"
            .to_owned(),
        "CREATE INDEX audit_log_unchained ON audit_log (tenant_id, seq) WHERE position IS NULL"
            .to_owned(),
        format!(
            "CREATE TABLE audit_chains (
                tenant_id {id} NOT NULL PRIMARY KEY,
                position BIGINT NOT NULL,
                hash TEXT NOT NULL,
                anchor_position BIGINT NOT NULL,
                anchor_hash TEXT NOT NULL,
                anchor_moved_at BIGINT,
                first_seq BIGINT
            )"
        ),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "DROP TABLE audit_chains".to_owned(),
        "DROP INDEX audit_log_unchained".to_owned(),
        "DROP INDEX audit_log_chain_age".to_owned(),
        "DROP INDEX audit_log_chain".to_owned(),
        "ALTER TABLE audit_log DROP COLUMN hash".to_owned(),
        "ALTER TABLE audit_log DROP COLUMN previous_hash".to_owned(),
        "ALTER TABLE audit_log DROP COLUMN position".to_owned(),
    ]
}
