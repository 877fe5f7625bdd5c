//! The OpenID Connect providers of tenants, and the domains whose people they sign in.

use sea_orm_migration::prelude::*;

use crate::{bytes, exact_text, uuid};

crate::migration!(up: up, down: down);

/// A tenant has one provider at most. Several tenants may name the same domain: see
/// `docs/people.md` for what a shared domain means.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    let bytes = bytes(manager);
    let exact = exact_text(manager);
    vec![
        format!(
            "CREATE TABLE identity_providers (
                id {id} NOT NULL PRIMARY KEY,
                tenant_id {id} NOT NULL UNIQUE REFERENCES tenants (id),
                issuer {exact} NOT NULL,
                client_id TEXT NOT NULL,
                sealed_secret {bytes} NOT NULL,
                ca_certificate TEXT,
                default_role_id {id},
                default_role_expires_at BIGINT,
                emergency_user_id {id} REFERENCES users (id) ON DELETE SET NULL,
                enabled BOOLEAN NOT NULL,
                revision BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                updated_by TEXT NOT NULL
            )"
        ),
        format!(
            "CREATE TABLE identity_provider_domains (
                provider_id {id} NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
                domain {exact} NOT NULL,
                PRIMARY KEY (provider_id, domain)
            )"
        ),
        "CREATE INDEX identity_provider_domains_domain ON identity_provider_domains (domain)"
            .to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    let drop = |table| format!("DROP TABLE {table}");
    ["identity_provider_domains", "identity_providers"].map(drop).to_vec()
}
