//! Sign-ins that were sent to an identity provider and have not come back.

use sea_orm_migration::prelude::*;

use crate::{bytes, uuid};

crate::migration!(up: up, down: down);

/// `state_hash` and `browser_hash` are digests of the parameter `state` and of a cookie; nonce and
/// PKCE verifier are sealed.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let id = uuid(manager);
    let bytes = bytes(manager);
    vec![
        format!(
            "CREATE TABLE sign_in_requests (
                state_hash {bytes} NOT NULL PRIMARY KEY,
                provider_id {id} NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
                provider_revision BIGINT NOT NULL,
                browser_hash {bytes} NOT NULL,
                sealed {bytes} NOT NULL,
                redirect_uri TEXT NOT NULL,
                return_to TEXT,
                expires_at BIGINT NOT NULL
            )"
        ),
        "CREATE INDEX sign_in_requests_expires ON sign_in_requests (expires_at)".to_owned(),
        "CREATE INDEX sign_in_requests_provider ON sign_in_requests (provider_id)".to_owned(),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec!["DROP TABLE sign_in_requests".to_owned()]
}
