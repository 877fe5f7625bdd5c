//! How long the count of failed sign-ins is kept, and whose networks are known.

use sea_orm_migration::prelude::*;

use crate::bytes;

crate::migration!(up: up, down: down);

/// `identity` is the hash of the address that signed in from a known network; null for counts.
/// Older versions write neither column.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let bytes = bytes(manager);
    vec![
        format!("ALTER TABLE sign_in_failures ADD COLUMN identity {bytes}"),
        "ALTER TABLE sign_in_failures ADD COLUMN kept_until BIGINT".to_owned(),
        "CREATE INDEX sign_in_failures_identity ON sign_in_failures (identity, last_at)".to_owned(),
        "CREATE INDEX sign_in_failures_end ON sign_in_failures (kept_until)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "DROP INDEX sign_in_failures_end".to_owned(),
        "DROP INDEX sign_in_failures_identity".to_owned(),
        "ALTER TABLE sign_in_failures DROP COLUMN kept_until".to_owned(),
        "ALTER TABLE sign_in_failures DROP COLUMN identity".to_owned(),
    ]
}
