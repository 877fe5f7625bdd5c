//! Clients and users as one: the holders of roles, and the roles that they hold.

use sea_orm_migration::prelude::*;

crate::migration!(up: up, down: down);

fn up(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "CREATE VIEW subjects AS
            SELECT id, 'client' AS kind, tenant_id, enabled, token_generation FROM clients
            UNION ALL
            SELECT id, 'user' AS kind, tenant_id, enabled, token_generation FROM users"
            .to_owned(),
        "CREATE VIEW subject_roles AS
            SELECT client_id AS subject_id, 'client' AS kind, tenant_id, role_id, expires_at
            FROM role_assignments
            UNION ALL
            SELECT user_id AS subject_id, 'user' AS kind, tenant_id, role_id, expires_at
            FROM user_role_assignments"
            .to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP VIEW subject_roles".to_owned(), "DROP VIEW subjects".to_owned()]
}
