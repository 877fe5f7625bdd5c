//! The roles of users in tenants, each with its expiry.

use sea_orm_migration::prelude::*;

use crate::uuid;

crate::migration!(up: up, down: down);

fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    vec![
        format!(
            "CREATE TABLE user_role_assignments (
                id {id} NOT NULL PRIMARY KEY,
                user_id {id} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                tenant_id {id} NOT NULL REFERENCES tenants (id),
                role_id {id} NOT NULL,
                expires_at BIGINT,
                created_at BIGINT NOT NULL,
                created_by TEXT NOT NULL,
                UNIQUE (user_id, tenant_id, role_id)
            )"
        ),
        "CREATE INDEX user_role_assignments_role ON user_role_assignments (role_id, user_id)"
            .to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE user_role_assignments".to_owned()]
}
