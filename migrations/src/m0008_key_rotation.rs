//! The lifetime of signing keys.

use sea_orm_migration::prelude::*;

crate::migration!(up: up, down: down);

/// A key is published when it is created and signs from `active_from` on. When its successor is
/// created, `retired_at` is set to the moment until which tokens that it signed may be in use.
fn up(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "ALTER TABLE signing_keys ADD COLUMN active_from BIGINT NOT NULL DEFAULT 0".to_owned(),
        "ALTER TABLE signing_keys ADD COLUMN retired_at BIGINT".to_owned(),
        "UPDATE signing_keys SET active_from = created_at".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "ALTER TABLE signing_keys DROP COLUMN retired_at".to_owned(),
        "ALTER TABLE signing_keys DROP COLUMN active_from".to_owned(),
    ]
}
