//! The audit log: who did what in which tenant.

use sea_orm_migration::prelude::*;

use crate::{by_backend, uuid};

crate::migration!(up: up, down: down);

/// No foreign keys: a record outlives its subject.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    let seq = by_backend(
        manager,
        "INTEGER PRIMARY KEY AUTOINCREMENT",
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    );
    vec![
        format!(
            "CREATE TABLE audit_log (
                seq {seq},
                id {id} NOT NULL UNIQUE,
                at BIGINT NOT NULL,
                actor TEXT NOT NULL,
                acting_tenant_id {id},
                tenant_id {id} NOT NULL,
                operation TEXT NOT NULL,
                subject TEXT,
                outcome TEXT NOT NULL,
                code TEXT,
                reason TEXT,
                request_id TEXT NOT NULL,
                upstream_request_ids TEXT,
                before TEXT,
                after TEXT
            )"
        ),
        "CREATE INDEX audit_log_of_tenant ON audit_log (tenant_id, seq)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE audit_log".to_owned()]
}
