//! Indexes of columns by which people, and what belongs to them, are looked up.

use sea_orm_migration::prelude::*;

use crate::by_backend;

crate::migration!(up: up, down: down);

/// An address has one `@`: quoted local parts are refused. The expression is that of the query.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let domain = by_backend(
        manager,
        "substr(email_folded, instr(email_folded, '@') + 1)",
        "split_part(email_folded, '@', 2)",
    );
    vec![
        "CREATE INDEX passkey_ceremonies_browser ON passkey_ceremonies (browser_hash)".to_owned(),
        "CREATE INDEX identity_providers_emergency_user ON identity_providers (emergency_user_id)"
            .to_owned(),
        format!("CREATE INDEX users_by_domain ON users (({domain}))"),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    ["users_by_domain", "identity_providers_emergency_user", "passkey_ceremonies_browser"]
        .map(|index| format!("DROP INDEX {index}"))
        .to_vec()
}
