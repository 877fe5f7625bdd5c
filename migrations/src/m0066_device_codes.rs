//! Codes of device authorization (RFC 8628), known by their hashes.

use sea_orm_migration::prelude::*;

crate::migration!(up: up, down: down);

fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let uuid = crate::uuid(manager);
    let bytes = crate::bytes(manager);
    vec![
        // No tenant is looked up when a program asks, so that the answer does not tell which exist.
        format!(
            "CREATE TABLE device_codes (
                id {uuid} NOT NULL PRIMARY KEY,
                device_code_hash {bytes} NOT NULL UNIQUE,
                user_code_hash {bytes} NOT NULL UNIQUE,
                program TEXT NOT NULL,
                tenant_id {uuid},
                scope TEXT NOT NULL,
                address TEXT NOT NULL,
                network TEXT NOT NULL,
                user_agent TEXT NOT NULL,
                status TEXT NOT NULL,
                poll_interval BIGINT NOT NULL,
                last_polled_at BIGINT,
                user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
                generation BIGINT,
                authenticated_at BIGINT,
                methods TEXT,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL
            )"
        ),
        "CREATE INDEX device_codes_of_network ON device_codes (network, expires_at)".to_owned(),
        "CREATE INDEX device_codes_by_expiry ON device_codes (expires_at)".to_owned(),
        "CREATE INDEX device_codes_of_user ON device_codes (user_id)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE device_codes".to_owned()]
}
