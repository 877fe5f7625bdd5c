//! Clients and the hashes of their secrets.

use sea_orm_migration::prelude::*;

use crate::{by_backend, bytes, exact_text, uuid};

crate::migration!(up: up, down: down);

/// `seq` numbers clients for the name index, which needs integers. `name_folded` is the name after
/// case folding by the application, because the databases fold differently outside ASCII.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let (id, bytes, exact) = (uuid(manager), bytes(manager), exact_text(manager));
    let seq = by_backend(
        manager,
        "INTEGER PRIMARY KEY AUTOINCREMENT",
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    );
    vec![
        format!(
            "CREATE TABLE clients (
                seq {seq},
                id {id} NOT NULL UNIQUE,
                client_id {exact} NOT NULL UNIQUE,
                tenant_id {id} NOT NULL REFERENCES tenants (id),
                owner_tenant_id {id} REFERENCES tenants (id),
                name TEXT NOT NULL,
                name_folded {exact} NOT NULL,
                enabled BOOLEAN NOT NULL,
                token_generation BIGINT NOT NULL,
                token_request_count BIGINT NOT NULL,
                token_request_time BIGINT,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                created_by TEXT NOT NULL,
                updated_by TEXT NOT NULL
            )"
        ),
        "CREATE INDEX clients_of_tenant ON clients (tenant_id, name_folded, id)".to_owned(),
        "CREATE INDEX clients_by_name ON clients (name_folded, id)".to_owned(),
        format!(
            "CREATE TABLE client_secrets (
                id {id} NOT NULL PRIMARY KEY,
                client_id {id} NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
                hash {bytes} NOT NULL,
                last_four TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                last_used_at BIGINT,
                last_used_from TEXT,
                retires_at BIGINT,
                expires_at BIGINT
            )"
        ),
        "CREATE INDEX client_secrets_client ON client_secrets (client_id)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE client_secrets".to_owned(), "DROP TABLE clients".to_owned()]
}
