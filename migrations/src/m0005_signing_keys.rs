//! The keys that sign tokens. Private keys are sealed.

use sea_orm_migration::prelude::*;

use crate::{bytes, uuid};

crate::migration!(up: up, down: down);

/// `generation` counts up: the first node to insert a number creates the key, and the others read
/// it.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let (id, bytes) = (uuid(manager), bytes(manager));
    vec![format!(
        "CREATE TABLE signing_keys (
            id {id} NOT NULL PRIMARY KEY,
            generation BIGINT NOT NULL UNIQUE,
            algorithm TEXT NOT NULL,
            public_jwk TEXT NOT NULL,
            sealed_private_key {bytes} NOT NULL,
            created_at BIGINT NOT NULL
        )"
    )]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE signing_keys".to_owned()]
}
