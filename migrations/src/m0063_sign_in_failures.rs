//! Counts of failed sign-ins, which slow down further ones on all nodes.

use sea_orm_migration::prelude::*;

use crate::bytes;

crate::migration!(up: up, down: down);

/// `id` is a hash: an address that was typed wrong may be a password.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let bytes = bytes(manager);
    vec![
        format!(
            "CREATE TABLE sign_in_failures (
                id {bytes} NOT NULL PRIMARY KEY,
                failures BIGINT NOT NULL,
                blocked_until BIGINT NOT NULL,
                last_at BIGINT NOT NULL
            )"
        ),
        "CREATE INDEX sign_in_failures_age ON sign_in_failures (last_at)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE sign_in_failures".to_owned()]
}
