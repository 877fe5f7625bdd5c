//! The second factors of users, their recovery codes, and the one-time links by which they set a
//! password. Keys are sealed; codes and links are stored as hashes.

use sea_orm_migration::prelude::*;

use crate::{bytes, uuid};

crate::migration!(up: up, down: down);

fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    let bytes = bytes(manager);
    vec![
        format!(
            "CREATE TABLE user_totp (
                id {id} NOT NULL PRIMARY KEY,
                user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                sealed_key {bytes} NOT NULL,
                confirmed_at BIGINT,
                last_used_step BIGINT,
                created_at BIGINT NOT NULL
            )"
        ),
        "CREATE INDEX user_totp_user ON user_totp (user_id)".to_owned(),
        format!(
            "CREATE TABLE user_recovery_codes (
                id {id} NOT NULL PRIMARY KEY,
                user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                hash {bytes} NOT NULL,
                created_at BIGINT NOT NULL,
                used_at BIGINT
            )"
        ),
        "CREATE INDEX user_recovery_codes_user ON user_recovery_codes (user_id)".to_owned(),
        format!(
            "CREATE TABLE user_invitations (
                id {id} NOT NULL PRIMARY KEY,
                user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                hash {bytes} NOT NULL UNIQUE,
                purpose TEXT NOT NULL,
                expires_at BIGINT NOT NULL,
                used_at BIGINT,
                created_at BIGINT NOT NULL,
                created_by TEXT NOT NULL
            )"
        ),
        "CREATE INDEX user_invitations_user ON user_invitations (user_id)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    ["user_invitations", "user_recovery_codes", "user_totp"]
        .map(|table| format!("DROP TABLE {table}"))
        .to_vec()
}
