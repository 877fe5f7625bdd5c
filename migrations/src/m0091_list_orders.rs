//! Indexes in the order of lists, with all that decides whether a row belongs to a list: a page far
//! down reads the index alone for the rows before it.

use sea_orm_migration::prelude::*;

use crate::by_backend;

crate::migration!(up: up, down: down);

/// `clients_in_name_order` serves what `clients_by_name` did. The columns that the use of a client
/// changes are in no index, since each token would write it.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let mut statements = vec![
        "CREATE INDEX clients_in_name_order ON clients (name_folded, id, tenant_id, enabled)"
            .to_owned(),
        "CREATE INDEX clients_in_client_id_order ON clients (client_id, id, tenant_id, enabled)"
            .to_owned(),
        "CREATE INDEX tenants_in_name_order ON tenants (name_folded, id)".to_owned(),
        "DROP INDEX clients_by_name".to_owned(),
    ];
    statements.extend(of_disabled(
        manager,
        "CREATE INDEX tenants_disabled ON tenants (id) WHERE NOT enabled",
    ));
    statements
}

fn down(manager: &SchemaManager<'_>) -> Vec<String> {
    let mut statements = vec![
        "CREATE INDEX clients_by_name ON clients (name_folded, id)".to_owned(),
        "DROP INDEX tenants_in_name_order".to_owned(),
        "DROP INDEX clients_in_client_id_order".to_owned(),
        "DROP INDEX clients_in_name_order".to_owned(),
    ];
    statements.extend(of_disabled(manager, "DROP INDEX tenants_disabled"));
    statements
}

/// SQLite looks a tenant up by its id and has no use for the index of disabled ones.
fn of_disabled(manager: &SchemaManager<'_>, statement: &str) -> Option<String> {
    by_backend(manager, None, Some(statement.to_owned()))
}
