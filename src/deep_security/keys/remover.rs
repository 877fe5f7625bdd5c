//! A key with full access for one moment: it removes what lost answers left behind where no other
//! key can, and then itself.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::entity::{self, KeyGroup, Model};
use super::key::{KeySlot, TenantKey};
use super::service::Keys;
use super::verify::{FIRST_LIFETIME, FULL_ACCESS, UnverifiedKey, body};
use crate::database::Write;
use crate::deep_security::model::{KeyAccess, ObjectId};
use crate::error::Result;
use crate::ids::TenantKeyId;
use crate::outbound::Operation;
use crate::upstreams::Connection;

/// A key that is about to remove others.
pub(super) struct Remover {
    /// The key.
    pub key: TenantKey,
    row: Model,
    fresh: UnverifiedKey,
    _lease: oneshot::Sender<()>,
}

impl Keys {
    /// Makes a remover through the primary manager, for the tenant for which the stray was made.
    /// Nothing while a key with full access is being made, or if one was asked for in vain some
    /// minutes ago: this must not leave more strays than it removes.
    pub(super) async fn make_remover(
        &self,
        connection: &Connection,
        group: &KeyGroup,
        stray: &Model,
        operation: &Operation,
    ) -> Result<Option<Remover>> {
        let Ok(tenant) = ObjectId::parse("tenant", &group.remote_tenant_id) else {
            return Ok(None);
        };
        if self.removers.get(group).is_some_and(|tried| tried.elapsed() < FIRST_LIFETIME) {
            return Ok(None);
        }
        self.removers.insert(group.clone(), Instant::now());
        self.require_active(connection, tenant, operation).await?;
        let Some(row) = self.claim_remover(stray).await? else { return Ok(None) };
        let lease = self.keep_lease(row.id);
        let body = body(&row, FULL_ACCESS, row.expires_at);
        let fresh = match self.ask_for(connection, tenant, body, operation).await {
            Ok(fresh) => fresh,
            Err(error) => {
                self.give_up(&row, error.is_outcome_unknown()).await?;
                return Err(error);
            }
        };
        match self.keep_remover(&row, &fresh, (tenant, operation)).await {
            Ok(key) => Ok(Some(Remover { key, row, fresh, _lease: lease })),
            Err(error) => {
                let is_gone = self.discard(&fresh, operation).await;
                self.give_up(&row, !is_gone).await?;
                Err(error)
            }
        }
    }

    async fn claim_remover(&self, stray: &Model) -> Result<Option<Model>> {
        let now = self.clock.now();
        let ends_at = now.plus(FIRST_LIFETIME);
        let row = Model {
            id: TenantKeyId::random(&*self.entropy),
            access: KeyAccess::Full.as_str().to_owned(),
            instance: self.settings.instance.clone(),
            key_name: self.key_name(stray.tenant_id, KeyAccess::Full),
            remote_key_id: None,
            role_id: None,
            sealed_secret: None,
            created_at: now,
            renew_at: ends_at,
            expires_at: ends_at,
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
        row: &Model,
        fresh: &UnverifiedKey,
        (tenant, operation): (ObjectId, &Operation),
    ) -> Result<TenantKey> {
        let minted = self.minted(row, fresh, FULL_ACCESS);
        let note = async |write: Arc<Write<'_>>| entity::note_minted(&write, row, &minted).await;
        self.database.transaction(note).await?;
        self.require_own(fresh, tenant, FULL_ACCESS, operation).await?;
        let slot = KeySlot { link: row.link_id, access: KeyAccess::Full };
        let place = (row.base_url.clone(), row.remote_tenant_id.clone());
        let ends = (row.renew_at, row.expires_at);
        Ok(TenantKey::new(row.id, slot, place, fresh.secret.clone(), ends))
    }

    /// Removes a remover. One that is left ends within minutes, and is removed in the next round.
    pub(super) async fn dispose(&self, remover: Remover, operation: &Operation) -> Result<()> {
        let is_gone = self.discard(&remover.fresh, operation).await;
        if is_gone {
            self.removers.remove(&KeyGroup::of(&remover.row));
        }
        self.give_up(&remover.row, !is_gone).await
    }
}
