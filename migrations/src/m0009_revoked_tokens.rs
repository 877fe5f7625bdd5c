//! Access tokens that were revoked before they expired.

use sea_orm_migration::prelude::*;

use crate::uuid;

crate::migration!(up: up, down: down);

/// A row is needed until its token would have expired.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    vec![
        format!(
            "CREATE TABLE revoked_tokens (id {id} NOT NULL PRIMARY KEY, expires_at BIGINT NOT NULL)"
        ),
        "CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE revoked_tokens".to_owned()]
}
