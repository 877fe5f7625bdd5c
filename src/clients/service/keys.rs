//! Adds and removes public keys.

use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::Clients;
use crate::auth::TenantScope;
use crate::clients::entity::key::{Column, Entity, Model};
use crate::clients::model::Client;
use crate::database::Write;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::ClientKeyId;
use crate::tokens::PublicKey;

/// One in use and its successor.
const KEYS_MAX: usize = 2;

impl Clients {
    /// Adds a public key, with which the client may authenticate instead of with a secret.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` for a client that the caller has no authority
    /// over: who adds a key can act as the client. `CONFLICT` for a third key, or one that the
    /// client has.
    pub async fn add_key(&self, scope: &TenantScope, id: &str, key: &PublicKey) -> Result<Client> {
        self.change(scope, |write| self.add_key_in(write, scope, id, key)).await
    }

    async fn add_key_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        key: &PublicKey,
    ) -> Result<Client> {
        let before = self.lock(&write, scope, id).await?;
        let thumbprint = key.thumbprint()?;
        if before.keys.iter().any(|held| held.thumbprint == thumbprint) {
            return Err(Error::conflict("the client has this key already"));
        }
        if before.keys.len() >= KEYS_MAX {
            return Err(Error::conflict("a client has two keys at most: remove one first"));
        }
        let row = Model {
            id: ClientKeyId::random(&*self.entropy),
            client_id: before.row.id,
            algorithm: key.algorithm().name().to_owned(),
            public_jwk: key.to_json()?,
            thumbprint,
            created_at: scope.now(),
            last_used_at: None,
            last_used_from: None,
        };
        Entity::insert(row.into_active_model()).exec_without_returning(write.on()).await?;
        self.finish(&write, scope, "addClientKey", before).await
    }

    /// Removes a public key from a client.
    ///
    /// # Errors
    /// As [`Clients::add_key`]; `NOT_FOUND` for a key that is not the client's; `LAST_SECRET` if
    /// nothing else works, unless the client is disabled.
    pub async fn remove_key(&self, scope: &TenantScope, id: &str, key: &str) -> Result<Client> {
        self.change(scope, |write| self.remove_key_in(write, scope, id, key)).await
    }

    async fn remove_key_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        key: &str,
    ) -> Result<Client> {
        let before = self.lock(&write, scope, id).await?;
        let removed =
            before.keys.iter().find(|held| held.id.to_string() == key.to_ascii_lowercase());
        let removed = removed.ok_or_else(|| Error::not_found("key"))?.id;
        if before.row.enabled && before.credentials(scope.now()) == 1 {
            let message = "the only credential of an enabled client cannot be removed: give it \
                another, or disable it";
            return Err(Error::new(ErrorCode::LastSecret, message));
        }
        Entity::delete_many().filter(Column::Id.eq(removed)).exec(write.on()).await?;
        self.finish(&write, scope, "removeClientKey", before).await
    }
}
