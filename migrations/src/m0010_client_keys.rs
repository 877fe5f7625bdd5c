//! The public keys of clients, and the used assertions that were signed with them.

use sea_orm_migration::prelude::*;

use crate::{bytes, uuid};

crate::migration!(up: up, down: down);

/// An assertion is identified by the SHA-256 of its `jti`, because clients choose the `jti` freely.
/// No foreign key: an assertion remains used after its client is deleted.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let (id, bytes) = (uuid(manager), bytes(manager));
    vec![
        format!(
            "CREATE TABLE client_keys (
                id {id} NOT NULL PRIMARY KEY,
                client_id {id} NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
                algorithm TEXT NOT NULL,
                public_jwk TEXT NOT NULL,
                thumbprint TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                last_used_at BIGINT,
                last_used_from TEXT,
                UNIQUE (client_id, thumbprint)
            )"
        ),
        format!(
            "CREATE TABLE used_assertions (
                client_id {id} NOT NULL,
                jti_hash {bytes} NOT NULL,
                expires_at BIGINT NOT NULL,
                PRIMARY KEY (client_id, jti_hash)
            )"
        ),
        "CREATE INDEX used_assertions_expiry ON used_assertions (expires_at)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE used_assertions".to_owned(), "DROP TABLE client_keys".to_owned()]
}
