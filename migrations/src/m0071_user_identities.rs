//! The account at an identity provider that a user is linked to.

use sea_orm_migration::prelude::*;

use crate::{exact_text, uuid};

crate::migration!(up: up, down: down);

/// A user is linked to one account, and within a tenant an account is one user.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    let exact = exact_text(manager);
    vec![format!(
        "CREATE TABLE user_identities (
            user_id {id} NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
            tenant_id {id} NOT NULL REFERENCES tenants (id),
            issuer {exact} NOT NULL,
            subject {exact} NOT NULL,
            created_at BIGINT NOT NULL,
            UNIQUE (tenant_id, issuer, subject)
        )"
    )]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE user_identities".to_owned()]
}
