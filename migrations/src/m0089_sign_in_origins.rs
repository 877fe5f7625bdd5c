//! The session that a pending key was shown in, and since when a user has their address.

use sea_orm_migration::prelude::*;

use crate::uuid;

crate::migration!(up: up, down: down);

/// `session_id` refers to no row: the key is worthless without the session. `email_since` is null
/// for an address that the user has had from the beginning.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    vec![
        format!("ALTER TABLE user_totp ADD COLUMN session_id {id}"),
        "ALTER TABLE users ADD COLUMN email_since BIGINT".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "ALTER TABLE users DROP COLUMN email_since".to_owned(),
        "ALTER TABLE user_totp DROP COLUMN session_id".to_owned(),
    ]
}
