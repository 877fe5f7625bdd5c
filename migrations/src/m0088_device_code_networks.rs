//! The addresses of programs as bytes that sort by network, and device codes by tenant.

use sea_orm_migration::prelude::*;

use crate::bytes;

crate::migration!(up: up, down: down);

/// `address_key` has 16 bytes, IPv4 embedded in IPv6; null in rows of older versions, which end
/// within minutes.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let bytes = bytes(manager);
    vec![
        format!("ALTER TABLE device_codes ADD COLUMN address_key {bytes}"),
        "CREATE INDEX device_codes_by_address ON device_codes (address_key)".to_owned(),
        "CREATE INDEX device_codes_of_tenant ON device_codes (tenant_id, expires_at)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "DROP INDEX device_codes_of_tenant".to_owned(),
        "DROP INDEX device_codes_by_address".to_owned(),
        "ALTER TABLE device_codes DROP COLUMN address_key".to_owned(),
    ]
}
