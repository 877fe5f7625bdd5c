//! The API keys that the gateway creates for the tenants of an installation.

use sea_orm_migration::prelude::*;

use crate::{bytes, exact_text, uuid};

crate::migration!(up: up, down: down);

/// A row is `PENDING` before the key is requested, `LIVE` while it is in use, then `SPENT` until
/// the legacy system has deleted it too; `STRAY` if it is unknown whether the key was created. At
/// most one row for each link and access is pending on all nodes. No foreign key to links: a link
/// may be deleted before its keys.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let (id, bytes, exact) = (uuid(manager), bytes(manager), exact_text(manager));
    vec![
        format!(
            "CREATE TABLE tenant_keys (
                id {id} NOT NULL PRIMARY KEY,
                tenant_id {id} NOT NULL REFERENCES tenants (id),
                upstream_id {id} NOT NULL REFERENCES upstreams (id) ON DELETE CASCADE,
                link_id {id} NOT NULL,
                remote_tenant_id {exact} NOT NULL,
                base_url {exact} NOT NULL,
                access TEXT NOT NULL,
                state TEXT NOT NULL,
                instance TEXT NOT NULL,
                key_name TEXT NOT NULL,
                remote_key_id BIGINT,
                role_id BIGINT,
                sealed_secret {bytes},
                created_at BIGINT NOT NULL,
                renew_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                lease_until BIGINT NOT NULL,
                spent_at BIGINT
            )"
        ),
        "CREATE INDEX tenant_keys_link ON tenant_keys (link_id, access)".to_owned(),
        "CREATE INDEX tenant_keys_upstream ON tenant_keys (upstream_id)".to_owned(),
        "CREATE UNIQUE INDEX tenant_keys_pending ON tenant_keys (link_id, access) WHERE state = 'PENDING'".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE tenant_keys".to_owned()]
}
