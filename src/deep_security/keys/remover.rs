//! A temporary key of full access for a tenant that has no other: it deletes the tenant's stray
//! keys, then itself.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::entity::{self, KeyGroup, Model};
use super::key::{KeySlot, TenantKey};
use super::mint::claim_lost;
use super::state::Keys;
use super::verify::{FIRST_LIFETIME, FULL_ACCESS, MintContext, UnverifiedKey};
use crate::database::Write;
use crate::deep_security::model::{KeyAccess, ObjectId};
use crate::deep_security::wire::{Resource, Tenant};
use crate::error::Result;
use crate::ids::TenantKeyId;
use crate::outbound::Operation;
use crate::upstreams::Connection;

/// A temporary key that deletes others.
pub(super) struct Remover {
    /// The key.
    pub key: TenantKey,
    tenant: ObjectId,
    row: Model,
    unverified: UnverifiedKey,
    _lease: oneshot::Sender<()>,
}

impl Keys {
    /// Mints a remover for the tenant of a stray key. Returns `None` while another key of full
    /// access is being minted for the tenant, since that one can delete the stray too, and for ten
    /// minutes after an attempt, since a failed attempt may itself leave a stray key.
    pub(super) async fn mint_remover(
        &self,
        connection: &Connection,
        group: &KeyGroup,
        stray: &Model,
        operation: &Operation,
    ) -> Result<Option<Remover>> {
        let Ok(tenant) = ObjectId::parse(Tenant::KIND, &group.remote_tenant_id) else {
            return Ok(None);
        };
        if self.removers.get(group).is_some_and(|tried| tried.elapsed() < FIRST_LIFETIME) {
            return Ok(None);
        }
        self.removers.insert(group.clone(), Instant::now());
        self.require_active(connection, tenant, operation).await?;
        let Some(row) = self.claim_remover(stray).await? else { return Ok(None) };
        let lease = self.keep_lease(row.id);
        let context = MintContext { keys: self, connection, tenant, row: &row, operation };
        let key = match context.request_key(FULL_ACCESS, row.expires_at).await {
            Ok(key) => key,
            Err(error) => {
                self.give_up(&row, error.is_outcome_unknown()).await?;
                return Err(error);
            }
        };
        match self.keep_remover(&context, &key).await {
            Ok(kept) => {
                Ok(Some(Remover { key: kept, tenant, row, unverified: key, _lease: lease }))
            }
            Err(error) => {
                let is_deleted = context.discard(&key).await;
                self.give_up(&row, !is_deleted).await?;
                Err(error)
            }
        }
    }

    async fn claim_remover(&self, stray: &Model) -> Result<Option<Model>> {
        let now = self.clock.now();
        let expires_at = now.plus(FIRST_LIFETIME);
        let row = Model {
            id: TenantKeyId::random(&*self.entropy),
            access: KeyAccess::Full.as_str().to_owned(),
            instance: self.settings.instance.clone(),
            key_name: self.key_name(stray.tenant_id, KeyAccess::Full),
            remote_key_id: None,
            role_id: None,
            sealed_secret: None,
            created_at: now,
            renew_at: expires_at,
            expires_at,
            spent_at: None,
            ..stray.clone()
        };
        let claim = async |write: Arc<Write<'_>>| {
            entity::claim(&write, row.clone(), self.settings.lease, now).await
        };
        Ok(self.database.transaction(claim).await?.then_some(row))
    }

    async fn keep_remover(
        &self,
        context: &MintContext<'_>,
        key: &UnverifiedKey,
    ) -> Result<TenantKey> {
        let row = context.row;
        let minted = self.minted(row, key, FULL_ACCESS);
        let note = async |write: Arc<Write<'_>>| entity::note_minted(&write, row, &minted).await;
        if !self.database.transaction(note).await? {
            return Err(claim_lost(row.tenant_id));
        }
        context.require_own(key, FULL_ACCESS).await?;
        let slot = KeySlot { link: row.link_id, access: KeyAccess::Full };
        Ok(TenantKey::new(row.id, slot, row.origin(), key.secret.clone(), row.lifetime()))
    }

    /// Deletes a remover. One that remains expires within minutes and is deleted in the next round.
    pub(super) async fn dispose(
        &self,
        connection: &Connection,
        remover: Remover,
        operation: &Operation,
    ) -> Result<()> {
        let Remover { tenant, row, unverified, .. } = &remover;
        let context = MintContext { keys: self, connection, tenant: *tenant, row, operation };
        let is_deleted = context.discard(unverified).await;
        if is_deleted {
            self.removers.remove(&KeyGroup::of(row));
        }
        self.give_up(row, !is_deleted).await?;
        Ok(())
    }
}
