//! Sessions of people who have signed in. They are known by the hash of their cookie.

use sea_orm_migration::prelude::*;

crate::migration!(up: up, down: down);

fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let uuid = crate::uuid(manager);
    let bytes = crate::bytes(manager);
    vec![
        format!(
            "CREATE TABLE sessions (
                id {uuid} NOT NULL PRIMARY KEY,
                cookie_hash {bytes} NOT NULL UNIQUE,
                user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                generation BIGINT NOT NULL,
                state TEXT NOT NULL,
                may_enrol BOOLEAN NOT NULL,
                authenticated_at BIGINT NOT NULL,
                methods TEXT NOT NULL,
                address TEXT NOT NULL,
                user_agent TEXT NOT NULL,
                wrong_codes BIGINT NOT NULL DEFAULT 0,
                created_at BIGINT NOT NULL,
                last_seen_at BIGINT NOT NULL
            )"
        ),
        "CREATE INDEX sessions_of_user ON sessions (user_id)".to_owned(),
        "CREATE INDEX sessions_by_last_seen ON sessions (last_seen_at)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE sessions".to_owned()]
}
