//! Registrations of and sign-ins with passkeys that a browser has begun and not finished.

use sea_orm_migration::prelude::*;

use crate::{bytes, uuid};

crate::migration!(up: up, down: down);

/// `browser_hash` is the digest of the cookie of the browser in which the ceremony began; `user_id`
/// is null where the passkey itself tells who signs in.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    let bytes = bytes(manager);
    vec![
        format!(
            "CREATE TABLE passkey_ceremonies (
                id {id} NOT NULL PRIMARY KEY,
                purpose TEXT NOT NULL,
                user_id {id} REFERENCES users (id) ON DELETE CASCADE,
                browser_hash {bytes} NOT NULL,
                sealed_state {bytes} NOT NULL,
                expires_at BIGINT NOT NULL
            )"
        ),
        "CREATE INDEX passkey_ceremonies_expires ON passkey_ceremonies (expires_at)".to_owned(),
        "CREATE INDEX passkey_ceremonies_user ON passkey_ceremonies (user_id)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE passkey_ceremonies".to_owned()]
}
