//! Which version of the program ran each change of the schema, and whether older versions can work
//! with it.

use sea_orm_migration::prelude::*;

crate::migration!(up: up, down: down);

fn up(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "CREATE TABLE schema_changes (
            name TEXT NOT NULL PRIMARY KEY,
            program_version TEXT NOT NULL,
            is_additive BOOLEAN NOT NULL
        )"
        .to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE schema_changes".to_owned()]
}
