//! The passkeys of users.

use sea_orm_migration::prelude::*;

use crate::{bytes, uuid};

crate::migration!(up: up, down: down);

fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    let bytes = bytes(manager);
    vec![
        format!(
            "CREATE TABLE user_passkeys (
                id {id} NOT NULL PRIMARY KEY,
                user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                credential_id {bytes} NOT NULL UNIQUE,
                sealed_credential {bytes} NOT NULL,
                name TEXT NOT NULL,
                revision BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                last_used_at BIGINT
            )"
        ),
        "CREATE INDEX user_passkeys_user ON user_passkeys (user_id)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE user_passkeys".to_owned()]
}
