//! Removing keys at the far side: those that were renewed, refused or unlinked, and those of which
//! nobody knows.
//!
//! A key with full access deletes itself and those that read. One that reads can delete nothing: it
//! waits for one that can, and where there is none, it ends by itself. For keys of which nobody
//! knows, whose number would otherwise only shrink as they end, the primary manager makes one that
//! can, for this alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::entity::{self, KeyGroup, Model};
use super::key::{TenantKey, lasts};
use super::service::Keys;
use crate::auth::{RequestId, TenantScope};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::deep_security::client::{self, CallError, Request};
use crate::deep_security::listing::exactly;
use crate::deep_security::model::{KeyAccess, ObjectId};
use crate::deep_security::wire::{ApiKey, Page};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{TenantKeyId, random_uuid};
use crate::outbound::Operation;
use crate::upstreams::Connection;

/// Calls under way when a key was put out of use may still end with it.
const GRACE: Duration = Duration::from_mins(1);

/// For how long a key that has ended is remembered, for one that can remove it may still come.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// What one manager may take of a round: less than there is between two rounds, so that none delays
/// the next.
const DEADLINE: Duration = Duration::from_secs(20);

/// So many managers are swept side by side.
const MANAGERS_AT_ONCE: usize = 16;

impl Keys {
    /// Removes what is no longer used, at many managers side by side: one that does not answer
    /// delays no other. Several nodes may do it at once, and what fails is tried again at the next
    /// round.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn clean_up(self: &Arc<Self>) -> Result<()> {
        let now = self.clock.now();
        let retire = async |write: Arc<Write<'_>>| entity::retire(&write, now).await;
        self.database.transaction(retire).await?;
        let before = now.minus(GRACE);
        let mut managers: BTreeMap<String, Vec<KeyGroup>> = BTreeMap::new();
        for group in entity::groups_to_clean_up(self.database.reader(), before).await? {
            managers.entry(group.base_url.clone()).or_default().push(group);
        }
        let permits = Arc::new(Semaphore::new(MANAGERS_AT_ONCE));
        let mut cleanups = JoinSet::new();
        for groups in managers.into_values() {
            let keys = self.clone();
            let permits = permits.clone();
            cleanups.spawn(async move {
                // Never closed.
                let _permit = permits.acquire_owned().await;
                keys.clean_up_manager(groups, before).await;
            });
        }
        while let Some(swept) = cleanups.join_next().await {
            swept.map_err(Error::internal)?;
        }
        Ok(())
    }

    async fn clean_up_manager(&self, mut groups: Vec<KeyGroup>, before: Timestamp) {
        let deadline = Instant::now() + DEADLINE;
        // Each round begins with another one, so that those behind one that always fails have their
        // turn.
        let rounds = before.seconds() / i64::try_from(DEADLINE.as_secs()).unwrap_or(1);
        let first = usize::try_from(rounds).unwrap_or_default() % groups.len().max(1);
        groups.rotate_left(first);
        for group in groups {
            let Err(error) = self.clean_up_group(&group, before, deadline).await else { continue };
            error.log_cause();
            let silent = [
                ErrorCode::UpstreamUnavailable,
                ErrorCode::UpstreamTimeout,
                ErrorCode::CircuitOpen,
            ];
            if silent.contains(&error.code()) || Instant::now() >= deadline {
                return;
            }
        }
    }

    async fn clean_up_group(
        &self,
        group: &KeyGroup,
        before: Timestamp,
        deadline: Instant,
    ) -> Result<()> {
        let now = self.clock.now();
        let rows = entity::all_at(self.database.reader(), &group.base_url, &group.remote_tenant_id)
            .await?;
        let rows: Vec<&Model> =
            rows.iter().filter(|row| row.upstream_id == group.upstream).collect();
        let able = |row: &&&Model| {
            row.access == KeyAccess::Full.as_str()
                && row.is_verified()
                && row.sealed_secret.is_some()
                && lasts(row.expires_at, now)
        };
        let able =
            rows.iter().filter(able).max_by_key(|row| (row.is_live(), row.created_at)).copied();
        let Some(tenant) = able.or(rows.first().copied()).map(|row| row.tenant_id) else {
            return Ok(());
        };
        let request_id = RequestId::from(random_uuid(&*self.entropy));
        let operation = Operation::background(request_id.as_str().to_owned(), deadline);
        let scope = TenantScope::background(&self.authorizer, tenant, request_id);
        let connection = self.upstreams.to_clean_up(&scope, group.upstream).await?;
        // Keys are shown at no other place than the one that made them.
        let is_here = connection.endpoint.base_url.as_str() == group.base_url;
        let remover = able.filter(|_| is_here).map(|row| self.open(row)).transpose()?.flatten();
        let old = rows
            .iter()
            .copied()
            .filter(|row| row.spent_at.is_some_and(|at| row.is_stray() || at <= before));
        let own = |row: &&Model| remover.as_ref().is_some_and(|remover| remover.id == row.id);
        // The remover goes last, if it is to go itself.
        let (last, others): (Vec<&Model>, Vec<&Model>) = old.partition(own);
        let old: Vec<&Model> = others.into_iter().chain(last).collect();
        let is_hidden =
            |row: &&&Model| row.is_stray() && row.sealed_secret.is_none() && row.expires_at > now;
        let made = match old.iter().find(is_hidden) {
            Some(stray) if is_here && remover.is_none() => {
                self.make_remover(&connection, group, stray, &operation).await?
            }
            _ => None,
        };
        let remover = remover.as_ref().or(made.as_ref().map(|made| &made.key));
        let place = is_here.then_some((&connection, remover));
        let removed = self.remove_all(place, &old, &operation).await;
        if let Some(made) = made {
            self.dispose(made, &operation).await?;
        }
        removed
    }

    /// Removes and forgets what is old, at the place where it was made if that is still known.
    async fn remove_all(
        &self,
        place: Option<(&Connection, Option<&TenantKey>)>,
        old: &[&Model],
        operation: &Operation,
    ) -> Result<()> {
        let now = self.clock.now();
        for row in old {
            let is_gone = match place {
                Some((connection, remover)) => {
                    self.remove_itself(connection, row, operation).await?
                        || match remover {
                            Some(remover) => {
                                self.remove(connection, remover, row, operation).await?
                            }
                            None => false,
                        }
                }
                None => true,
            };
            if is_gone || row.expires_at.plus(REMEMBERED) <= now {
                self.forget(row.id).await?;
            }
        }
        Ok(())
    }

    /// Removes a stray whose secret is known with that secret. It removes nothing but itself: whose
    /// it is was never proven. Says whether it is gone.
    async fn remove_itself(
        &self,
        connection: &Connection,
        row: &Model,
        operation: &Operation,
    ) -> Result<bool> {
        if !row.is_stray() {
            return Ok(false);
        }
        let (Some(id), Some(key)) = (row.remote_key_id, self.open(row)?) else { return Ok(false) };
        let request = Request::delete(["apikeys".into(), ObjectId(id).into()]);
        let route = key.route(connection);
        match client::send(&self.outbound, operation, &route, &key.auth(), &request).await {
            Ok(_) => Ok(true),
            Err(CallError::Other(error)) if error.code() == ErrorCode::NotFound => Ok(true),
            Err(CallError::Other(error)) => Err(error),
            // It may do everything: one that is refused has ended.
            Err(CallError::Credential(_)) => Ok(true),
        }
    }

    /// Removes what a row stands for. Says whether nothing is left of it.
    async fn remove(
        &self,
        connection: &Connection,
        remover: &TenantKey,
        row: &Model,
        operation: &Operation,
    ) -> Result<bool> {
        let ids = match row.remote_key_id {
            Some(id) => Some(vec![id]),
            None => self.strays(connection, remover, row, operation).await?,
        };
        let Some(ids) = ids else { return Ok(false) };
        let route = remover.route(connection);
        let mut gone = true;
        for id in ids {
            let request = Request::delete(["apikeys".into(), ObjectId(id).into()]);
            gone &= match client::send(&self.outbound, operation, &route, &remover.auth(), &request)
                .await
            {
                Ok(_) => true,
                Err(CallError::Other(error)) => error.code() == ErrorCode::NotFound,
                // A key that cannot remove itself any more does not work any more.
                Err(CallError::Credential(_)) => row.id == remover.id,
            };
        }
        Ok(gone)
    }

    /// The keys that bear the name of a stray and that nobody knows; nothing while one of that name
    /// is being made.
    async fn strays(
        &self,
        connection: &Connection,
        remover: &TenantKey,
        stray: &Model,
        operation: &Operation,
    ) -> Result<Option<Vec<i64>>> {
        let found = self.named(connection, remover, &stray.key_name, operation).await?;
        // Read after the far side was asked: whatever it knew then is pending here, or known by its
        // id.
        let rows = entity::all_at(self.database.reader(), &stray.base_url, &stray.remote_tenant_id)
            .await?;
        let is_coming = |row: &Model| {
            row.is_pending() && row.key_name == stray.key_name && row.id != remover.id
        };
        if rows.iter().any(is_coming) {
            return Ok(None);
        }
        let known = |id: &i64| rows.iter().any(|row| row.remote_key_id == Some(*id));
        Ok(Some(found.into_iter().filter(|id| !known(id)).collect()))
    }

    /// The ids of the tenant's keys of that name.
    async fn named(
        &self,
        connection: &Connection,
        remover: &TenantKey,
        name: &str,
        operation: &Operation,
    ) -> Result<Vec<i64>> {
        let route = remover.route(connection);
        let request = Request::search("apikeys", exactly::<ApiKey>(name)?);
        let reply =
            client::send(&self.outbound, operation, &route, &remover.auth(), &request).await;
        let reply = reply.map_err(|error| error.of_own_credential(&route))?;
        let Page(keys) = reply.read::<Page<ApiKey>>(&route, false)?;
        // The vendor may ignore the letter case; and a filter that it does not understand finds
        // everything.
        Ok(keys
            .into_iter()
            .filter(|key| key.key_name.as_deref() == Some(name))
            .map(|key| key.id)
            .collect())
    }

    async fn forget(&self, id: TenantKeyId) -> Result<()> {
        let forget = async |write: Arc<Write<'_>>| entity::forget(&write, id).await;
        self.database.transaction(forget).await
    }
}
