//! People who sign in. An address is unique within a tenant only, so that no tenant learns whether
//! another one knows it.

use sea_orm_migration::prelude::*;

use crate::{exact_text, uuid};

crate::migration!(up: up, down: down);

fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    let exact = exact_text(manager);
    vec![
        format!(
            "CREATE TABLE users (
                id {id} NOT NULL PRIMARY KEY,
                tenant_id {id} NOT NULL REFERENCES tenants (id),
                email TEXT NOT NULL,
                email_folded {exact} NOT NULL,
                name TEXT NOT NULL,
                enabled BOOLEAN NOT NULL,
                password_hash TEXT,
                token_generation BIGINT NOT NULL,
                last_sign_in_at BIGINT,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                created_by TEXT NOT NULL,
                updated_by TEXT NOT NULL,
                UNIQUE (tenant_id, email_folded)
            )"
        ),
        "CREATE INDEX users_by_email ON users (email_folded, id)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE users".to_owned()]
}
