//! Idempotency keys of `createClient`.

use sea_orm_migration::prelude::*;

use crate::{bytes, uuid};

crate::migration!(up: up, down: down);

/// `client_id` has no foreign key: a repeated request must learn that its client was deleted, and
/// must not create it again.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let (id, bytes) = (uuid(manager), bytes(manager));
    vec![
        format!(
            "CREATE TABLE idempotency_keys (
                tenant_id {id} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
                actor TEXT NOT NULL,
                key TEXT NOT NULL,
                fingerprint {bytes} NOT NULL,
                client_id {id} NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (tenant_id, actor, key)
            )"
        ),
        "CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE idempotency_keys".to_owned()]
}
