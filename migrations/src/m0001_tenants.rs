//! The tree of tenants.

use sea_orm_migration::prelude::*;

use crate::{exact_text, uuid};

crate::migration!(up: up, down: down);

/// `tenant_ancestors` holds a row for each tenant above a tenant, itself included at distance 0. A
/// tenant's parent never changes, so the rows are written once and cannot form a cycle.
/// `partner_id` and `organization_id` are the nearest of their kind, at the tenant or above it.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let (id, exact) = (uuid(manager), exact_text(manager));
    vec![
        format!(
            "CREATE TABLE tenants (
                id {id} NOT NULL PRIMARY KEY,
                parent_id {id} REFERENCES tenants (id),
                partner_id {id} REFERENCES tenants (id),
                organization_id {id} REFERENCES tenants (id),
                name TEXT NOT NULL,
                name_folded {exact} NOT NULL,
                is_partner BOOLEAN NOT NULL,
                is_organization BOOLEAN NOT NULL,
                enabled BOOLEAN NOT NULL,
                max_secret_age_seconds BIGINT,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL
            )"
        ),
        "CREATE INDEX tenants_parent ON tenants (parent_id)".to_owned(),
        format!(
            "CREATE TABLE tenant_ancestors (
                tenant_id {id} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
                ancestor_id {id} NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
                distance INTEGER NOT NULL,
                PRIMARY KEY (tenant_id, ancestor_id)
            )"
        ),
        "CREATE INDEX tenant_ancestors_ancestor ON tenant_ancestors (ancestor_id, tenant_id)"
            .to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE tenant_ancestors".to_owned(), "DROP TABLE tenants".to_owned()]
}
