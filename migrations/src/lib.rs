//! The database schema: one migration in each file, in the order listed here.
//!
//! A crate of its own, so that no migration can import the application: a migration that was run
//! must never change its meaning. Moments are `BIGINT` milliseconds since 1970 UTC, so that both
//! databases compare them alike.

use sea_orm_migration::prelude::*;

mod m0001_tenants;
mod m0002_clients;
mod m0003_client_name_search;
mod m0004_role_assignments;
mod m0005_signing_keys;
mod m0006_audit_log;
mod m0007_idempotency_keys;
mod m0008_key_rotation;
mod m0009_revoked_tokens;
mod m0010_client_keys;
mod m0011_upstreams;
mod m0012_tenant_keys;
mod m0013_integration_server_tasks;
mod m0023_canonical_remote_ids;
mod m0027_audit_request_ids;
mod m0031_schema_changes;
mod m0035_name_folding;
mod m0050_link_checks;
mod m0060_users;
mod m0061_user_role_assignments;
mod m0062_user_credentials;
mod m0063_sign_in_failures;
mod m0064_subjects;
mod m0065_sessions;
mod m0066_device_codes;
mod m0070_identity_providers;
mod m0071_user_identities;
mod m0072_sign_in_requests;
mod m0073_user_passkeys;
mod m0074_passkey_ceremonies;
mod m0082_audit_chains;
mod m0086_people_lookups;
mod m0087_sign_in_failure_ends;
mod m0088_device_code_networks;
mod m0089_sign_in_origins;
mod m0090_unchained_age;
mod m0091_list_orders;

pub use sea_orm_migration::MigratorTrait;

/// Additive migrations: they only add a table, a view, an index, or a column that is nullable or
/// has a default, which older versions ignore, or put an index in the place of one that it can stand
/// for. A node of an older version keeps running with them and refuses to start with any other newer
/// migration.
pub const ADDITIVE: &[&str] = &[
    "m0027_audit_request_ids",
    "m0031_schema_changes",
    "m0050_link_checks",
    "m0060_users",
    "m0061_user_role_assignments",
    "m0062_user_credentials",
    "m0063_sign_in_failures",
    "m0064_subjects",
    "m0065_sessions",
    "m0066_device_codes",
    "m0070_identity_providers",
    "m0071_user_identities",
    "m0072_sign_in_requests",
    "m0073_user_passkeys",
    "m0074_passkey_ceremonies",
    "m0082_audit_chains",
    "m0086_people_lookups",
    "m0087_sign_in_failure_ends",
    "m0088_device_code_networks",
    "m0089_sign_in_origins",
    "m0090_unchained_age",
    "m0091_list_orders",
];

/// All migrations, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_tenants::Migration),
            Box::new(m0002_clients::Migration),
            Box::new(m0003_client_name_search::Migration),
            Box::new(m0004_role_assignments::Migration),
            Box::new(m0005_signing_keys::Migration),
            Box::new(m0006_audit_log::Migration),
            Box::new(m0007_idempotency_keys::Migration),
            Box::new(m0008_key_rotation::Migration),
            Box::new(m0009_revoked_tokens::Migration),
            Box::new(m0010_client_keys::Migration),
            Box::new(m0011_upstreams::Migration),
            Box::new(m0012_tenant_keys::Migration),
            Box::new(m0013_integration_server_tasks::Migration),
            Box::new(m0023_canonical_remote_ids::Migration),
            Box::new(m0027_audit_request_ids::Migration),
            Box::new(m0031_schema_changes::Migration),
            Box::new(m0035_name_folding::Migration),
            Box::new(m0050_link_checks::Migration),
            Box::new(m0060_users::Migration),
            Box::new(m0061_user_role_assignments::Migration),
            Box::new(m0062_user_credentials::Migration),
            Box::new(m0063_sign_in_failures::Migration),
            Box::new(m0064_subjects::Migration),
            Box::new(m0065_sessions::Migration),
            Box::new(m0066_device_codes::Migration),
            Box::new(m0070_identity_providers::Migration),
            Box::new(m0071_user_identities::Migration),
            Box::new(m0072_sign_in_requests::Migration),
            Box::new(m0073_user_passkeys::Migration),
            Box::new(m0074_passkey_ceremonies::Migration),
            Box::new(m0082_audit_chains::Migration),
            Box::new(m0086_people_lookups::Migration),
            Box::new(m0087_sign_in_failure_ends::Migration),
            Box::new(m0088_device_code_networks::Migration),
            Box::new(m0089_sign_in_origins::Migration),
            Box::new(m0090_unchained_age::Migration),
            Box::new(m0091_list_orders::Migration),
        ]
    }
}

/// Runs statements one after another. They must be valid on SQLite and PostgreSQL alike.
async fn run(manager: &SchemaManager<'_>, statements: Vec<String>) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// The column type of an identifier: `uuid` on PostgreSQL, sixteen bytes on SQLite.
fn uuid(manager: &SchemaManager<'_>) -> &'static str {
    by_backend(manager, "BLOB", "UUID")
}

/// The column type of text that is compared byte by byte, whatever the locale of the database.
fn exact_text(manager: &SchemaManager<'_>) -> &'static str {
    by_backend(manager, "TEXT", "TEXT COLLATE \"C\"")
}

/// The column type of bytes.
fn bytes(manager: &SchemaManager<'_>) -> &'static str {
    by_backend(manager, "BLOB", "BYTEA")
}

fn by_backend<T>(manager: &SchemaManager<'_>, sqlite: T, postgres: T) -> T {
    match manager.get_database_backend() {
        sea_orm::DatabaseBackend::Sqlite => sqlite,
        _ => postgres,
    }
}

/// Declares the migration of a file. It is named after the file and runs in one transaction on both
/// databases.
macro_rules! migration {
    (up: $up:ident, down: $down:ident) => {
        #[derive(DeriveMigrationName)]
        pub struct Migration;

        #[async_trait::async_trait]
        impl MigrationTrait for Migration {
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                crate::run(manager, $up(manager)).await
            }

            async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                crate::run(manager, $down(manager)).await
            }

            fn use_transaction(&self) -> Option<bool> {
                Some(true)
            }
        }
    };
}
use migration;
