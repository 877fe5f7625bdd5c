//! The version of the program that ran each migration, and whether older versions can run with it.

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
