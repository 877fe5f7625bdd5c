//! Removing keys at the far side: those that were renewed, refused or unlinked, and those of which nobody knows.
//!
//! A key with full access deletes itself and those that read. One that reads can delete nothing: it waits for one that can,
//! and where there is none, it ends by itself.

use std::time::Duration;

use super::entity::{self, Model};
use super::key::{Key, lasts};
use super::service::Keys;
use crate::auth::{RequestId, TenantScope};
use crate::clock::Timestamp;
use crate::deep_security::client::{self, Denied, Request};
use crate::deep_security::listing::exactly;
use crate::deep_security::model::{ObjectId, Right};
use crate::deep_security::wire::{ApiKey, Page};
use crate::error::{ErrorCode, Result};
use crate::ids::{TenantId, TenantKeyId, UpstreamId, random_uuid};
use crate::outbound::Operation;
use crate::upstreams::Connection;

/// Calls under way when a key was put out of use may still end with it.
const GRACE: Duration = Duration::from_mins(1);

/// For how long a key that has ended is remembered, for one that can remove it may still come.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// What one place may take.
const DEADLINE: Duration = Duration::from_mins(1);

impl Keys {
    /// Removes what is no longer used. Several nodes may do it at once, and what fails is tried again at the next round.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn sweep(&self) -> Result<()> {
        let now = self.clock.now();
        let write = self.database.write().await?;
        entity::retire(&write, now).await?;
        write.commit().await?;
        let before = now.minus(GRACE);
        for (tenant, upstream) in entity::to_sweep(self.database.reader(), before).await? {
            if let Err(error) = self.sweep_place(tenant, upstream, before).await {
                error.log_cause();
            }
        }
        Ok(())
    }

    async fn sweep_place(&self, tenant: TenantId, upstream: UpstreamId, before: Timestamp) -> Result<()> {
        let request_id = RequestId::from(random_uuid(&*self.entropy));
        let deadline = tokio::time::Instant::now() + DEADLINE;
        let operation = Operation::background(request_id.as_str().to_owned(), deadline);
        let scope = TenantScope::going_on(&self.authorizer, tenant, request_id);
        let connection = self.upstreams.to_clean_up(&scope, upstream).await?;
        let rows = entity::all_of(self.database.reader(), tenant, upstream).await?;
        let mut links: Vec<_> = rows.iter().map(|row| row.link_id).collect();
        links.sort_unstable();
        links.dedup();
        for link in links {
            let of_link: Vec<&Model> = rows.iter().filter(|row| row.link_id == link).collect();
            self.sweep_link(&connection, &of_link, before, &operation).await?;
        }
        Ok(())
    }

    async fn sweep_link(
        &self,
        connection: &Connection,
        rows: &[&Model],
        before: Timestamp,
        operation: &Operation,
    ) -> Result<()> {
        let now = self.clock.now();
        let base_url = connection.endpoint.base_url.as_str();
        let able = |row: &&&Model| {
            row.access == Right::Full.as_str()
                && row.sealed_secret.is_some()
                && row.base_url == base_url
                && lasts(row.expires_at, now)
        };
        let remover = rows.iter().filter(able).max_by_key(|row| (row.is_live(), row.created_at));
        let remover = remover.map(|row| self.open(row)).transpose()?.flatten();
        let old = rows.iter().copied().filter(|row| row.spent_at.is_some_and(|at| row.is_stray() || at <= before));
        let own = |row: &&Model| remover.as_ref().is_some_and(|remover| remover.id == row.id);
        // The remover goes last, if it is to go itself.
        let (last, others): (Vec<&Model>, Vec<&Model>) = old.partition(own);
        for row in others.into_iter().chain(last) {
            let gone = match &remover {
                Some(remover) if row.base_url == base_url => self.remove(connection, remover, row, operation).await?,
                _ => false,
            };
            if gone || row.base_url != base_url || row.expires_at.plus(REMEMBERED) <= now {
                self.forget(row.id).await?;
            }
        }
        Ok(())
    }

    /// Removes what a row stands for. Says whether nothing is left of it.
    async fn remove(&self, connection: &Connection, remover: &Key, row: &Model, operation: &Operation) -> Result<bool> {
        let ids = match row.remote_key_id {
            Some(id) => Some(vec![id]),
            None => self.strays(connection, remover, row, operation).await?,
        };
        let Some(ids) = ids else { return Ok(false) };
        let line = remover.line(connection);
        let mut gone = true;
        for id in ids {
            let request = Request::delete(["apikeys".into(), ObjectId(id).into()]);
            gone &= match client::send(&self.outbound, operation, &line, &remover.shown(), &request).await {
                Ok(_) => true,
                Err(Denied::Other(error)) => error.code() == ErrorCode::NotFound,
                // A key that cannot remove itself any more does not work any more.
                Err(Denied::Credential(_)) => row.id == remover.id,
            };
        }
        Ok(gone)
    }

    /// The keys that bear the name of a stray and that nobody knows; nothing while one of that name is being made.
    async fn strays(
        &self,
        connection: &Connection,
        remover: &Key,
        stray: &Model,
        operation: &Operation,
    ) -> Result<Option<Vec<i64>>> {
        let found = self.named(connection, remover, &stray.key_name, operation).await?;
        // Read after the far side was asked: whatever it knew then is pending here, or known by its id.
        let rows = entity::all_of(self.database.reader(), stray.tenant_id, stray.upstream_id).await?;
        if rows.iter().any(|row| row.is_pending() && row.key_name == stray.key_name) {
            return Ok(None);
        }
        let known = |id: &i64| rows.iter().any(|row| row.remote_key_id == Some(*id));
        Ok(Some(found.into_iter().filter(|id| !known(id)).collect()))
    }

    /// The ids of the tenant's keys of that name.
    async fn named(
        &self,
        connection: &Connection,
        remover: &Key,
        name: &str,
        operation: &Operation,
    ) -> Result<Vec<i64>> {
        let line = remover.line(connection);
        let request = Request::search("apikeys", exactly::<ApiKey>(name)?);
        let reply = client::send(&self.outbound, operation, &line, &remover.shown(), &request).await;
        let reply = reply.map_err(|denied| denied.of_own_credential(&line))?;
        let Page(keys) = reply.read::<Page<ApiKey>>(&line, false)?;
        // The vendor may ignore the letter case; and a filter that it does not understand finds everything.
        Ok(keys.into_iter().filter(|key| key.key_name.as_deref() == Some(name)).map(|key| key.id).collect())
    }

    async fn forget(&self, id: TenantKeyId) -> Result<()> {
        let write = self.database.write().await?;
        entity::forget(&write, id).await?;
        write.commit().await
    }
}
