//! The installations of legacy systems, and the links of tenants to them.

use sea_orm_migration::prelude::*;

use crate::{bytes, exact_text, uuid};

crate::migration!(up: up, down: down);

/// A gateway tenant has at most one link for each kind of system, and a tenant of an installation
/// is linked to at most one gateway tenant.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let (id, bytes, exact) = (uuid(manager), bytes(manager), exact_text(manager));
    vec![
        format!(
            "CREATE TABLE upstreams (
                id {id} NOT NULL PRIMARY KEY,
                owner_tenant_id {id} NOT NULL REFERENCES tenants (id),
                name TEXT NOT NULL,
                system TEXT NOT NULL,
                base_url TEXT NOT NULL,
                authentication TEXT NOT NULL,
                sealed_credential {bytes} NOT NULL,
                ca_certificate TEXT,
                time_zone TEXT NOT NULL,
                revision BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL
            )"
        ),
        "CREATE INDEX upstreams_owner ON upstreams (owner_tenant_id)".to_owned(),
        format!(
            "CREATE TABLE upstream_links (
                id {id} NOT NULL PRIMARY KEY,
                tenant_id {id} NOT NULL REFERENCES tenants (id),
                upstream_id {id} NOT NULL REFERENCES upstreams (id),
                system TEXT NOT NULL,
                remote_tenant_id {exact},
                created_at BIGINT NOT NULL,
                UNIQUE (tenant_id, system)
            )"
        ),
        "CREATE UNIQUE INDEX upstream_links_remote ON upstream_links (upstream_id, COALESCE(remote_tenant_id, ''))"
            .to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE upstream_links".to_owned(), "DROP TABLE upstreams".to_owned()]
}
