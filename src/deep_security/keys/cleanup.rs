//! Deletes keys at the managers: renewed, refused and unlinked keys, and stray keys.
//!
//! A key of full access deletes itself and the read-only keys. A read-only key can delete nothing:
//! it is deleted by a key of full access, or expires. For stray keys, the primary manager mints a
//! temporary key of full access where there is no other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::entity::{self, KeyGroup, Model};
use super::key::{TenantKey, is_usable_until};
use super::state::Keys;
use crate::auth::{RequestId, TenantScope};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::deep_security::client::{self, ApiRequest, ApiResponse, CallError};
use crate::deep_security::model::{KeyAccess, ObjectId};
use crate::deep_security::query::exact_name;
use crate::deep_security::wire::{ApiKey, Page};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{TenantKeyId, random_uuid};
use crate::outbound::Operation;
use crate::upstreams::Connection;

/// How long calls that use a key may still run after the key is spent.
const GRACE: Duration = Duration::from_mins(1);

/// How long the row of an expired key is kept, in case a key that can delete it is minted.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// The time for one manager in a round, shorter than the interval between rounds, so that rounds
/// do not overlap.
const DEADLINE: Duration = Duration::from_secs(20);

/// How many managers are cleaned up concurrently.
const MANAGERS_AT_ONCE: usize = 16;

/// The deletion of keys at the manager that minted them.
struct Deletion<'a> {
    keys: &'a Keys,
    connection: &'a Connection,
    /// A key that can delete the others, if there is one.
    remover: Option<&'a TenantKey>,
    operation: &'a Operation,
}

/// The keys with a stray key's name.
enum StrayKeys {
    /// A key of that name is being minted: nothing is known yet.
    Undecided,
    /// The ids of the keys that no row knows.
    Found(Vec<i64>),
}

impl Keys {
    /// Deletes keys that are no longer used, at many managers concurrently, so that a silent one
    /// does not delay the others. Several nodes may clean up at once; failures are retried in the
    /// next round.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn clean_up(self: &Arc<Self>) -> Result<()> {
        let now = self.clock.now();
        let retire = async |write: Arc<Write<'_>>| entity::retire(&write, now).await;
        self.database.transaction(retire).await?;
        let spent_before = now.minus(GRACE);
        let mut managers: BTreeMap<String, Vec<KeyGroup>> = BTreeMap::new();
        for group in entity::groups_to_clean_up(self.database.reader(), spent_before).await? {
            managers.entry(group.base_url.clone()).or_default().push(group);
        }
        let permits = Arc::new(Semaphore::new(MANAGERS_AT_ONCE));
        let mut cleanups = JoinSet::new();
        for groups in managers.into_values() {
            let keys = self.clone();
            let permits = permits.clone();
            cleanups.spawn(async move {
                // Acquiring fails only on a closed semaphore, and this one is never closed.
                let _permit = permits.acquire_owned().await;
                keys.clean_up_manager(groups, spent_before).await;
            });
        }
        while let Some(finished) = cleanups.join_next().await {
            finished.map_err(Error::internal)?;
        }
        Ok(())
    }

    async fn clean_up_manager(&self, mut groups: Vec<KeyGroup>, spent_before: Timestamp) {
        let deadline = Instant::now() + DEADLINE;
        // Each round starts with another group, so that a failing group does not starve the others.
        let round = spent_before.seconds() / i64::try_from(DEADLINE.as_secs()).unwrap_or(1);
        let first = usize::try_from(round).unwrap_or_default() % groups.len().max(1);
        groups.rotate_left(first);
        for group in groups {
            let cleaned_up = self.clean_up_group(&group, spent_before, deadline).await;
            let Err(error) = cleaned_up else { continue };
            error.log_cause();
            let unreachable = [
                ErrorCode::UpstreamUnavailable,
                ErrorCode::UpstreamTimeout,
                ErrorCode::CircuitOpen,
            ];
            if unreachable.contains(&error.code()) || Instant::now() >= deadline {
                return;
            }
        }
    }

    async fn clean_up_group(
        &self,
        group: &KeyGroup,
        spent_before: Timestamp,
        deadline: Instant,
    ) -> Result<()> {
        let now = self.clock.now();
        let rows = entity::all_at(self.database.reader(), &group.base_url, &group.remote_tenant_id)
            .await?;
        let rows: Vec<&Model> =
            rows.iter().filter(|row| row.upstream_id == group.upstream).collect();
        let remover = best_remover(&rows, now);
        let Some(tenant) = remover.or(rows.first().copied()).map(|row| row.tenant_id) else {
            return Ok(());
        };
        let request_id = RequestId::from(random_uuid(&*self.entropy));
        let operation = Operation::background(request_id.as_str().to_owned(), deadline);
        let scope = TenantScope::background(&self.authorizer, tenant, request_id);
        let connection = self.upstreams.to_clean_up(&scope, group.upstream).await?;
        // A key is sent only to the base URL that minted it.
        let is_same_manager = connection.endpoint.base_url.as_str() == group.base_url;
        if !is_same_manager {
            return self.forget_all(&due(&rows, None, spent_before)).await;
        }
        let remover = remover.map(|row| self.open(row)).transpose()?.flatten();
        let due = due(&rows, remover.as_ref(), spent_before);
        let is_unreachable =
            |row: &&&Model| row.is_stray() && row.sealed_secret.is_none() && row.expires_at > now;
        let temporary = match due.iter().find(is_unreachable) {
            Some(stray) if remover.is_none() => {
                self.mint_remover(&connection, group, stray, &operation).await?
            }
            _ => None,
        };
        let remover = remover.as_ref().or(temporary.as_ref().map(|temporary| &temporary.key));
        let deletion =
            Deletion { keys: self, connection: &connection, remover, operation: &operation };
        let deleted = deletion.delete_all(&due).await;
        if let Some(temporary) = temporary {
            self.dispose(&connection, temporary, &operation).await?;
        }
        deleted
    }

    /// Forgets keys of a manager that is no longer known.
    async fn forget_all(&self, rows: &[&Model]) -> Result<()> {
        for row in rows {
            self.forget(row.id).await?;
        }
        Ok(())
    }

    async fn forget(&self, id: TenantKeyId) -> Result<()> {
        let forget = async |write: Arc<Write<'_>>| entity::forget(&write, id).await;
        self.database.transaction(forget).await
    }
}

/// The newest usable key of full access, a live one if there is one.
fn best_remover<'a>(rows: &[&'a Model], now: Timestamp) -> Option<&'a Model> {
    let is_able = |row: &&Model| {
        row.access == KeyAccess::Full.as_str()
            && row.is_verified()
            && row.sealed_secret.is_some()
            && is_usable_until(row.expires_at, now)
    };
    let able = rows.iter().copied().filter(is_able);
    able.max_by_key(|row| (row.is_live(), row.created_at))
}

/// The stray keys and the keys spent before that moment. The remover itself comes last.
fn due<'a>(
    rows: &[&'a Model],
    remover: Option<&TenantKey>,
    spent_before: Timestamp,
) -> Vec<&'a Model> {
    let is_due = |row: &&Model| row.spent_at.is_some_and(|at| row.is_stray() || at <= spent_before);
    let mut due: Vec<&Model> = rows.iter().copied().filter(is_due).collect();
    due.sort_by_key(|row| remover.is_some_and(|remover| remover.id == row.id));
    due
}

impl Deletion<'_> {
    /// Deletes keys, and forgets those that are deleted or expired long ago.
    async fn delete_all(&self, rows: &[&Model]) -> Result<()> {
        let now = self.keys.clock.now();
        for row in rows {
            let is_deleted = self.delete_itself(row).await?
                || match self.remover {
                    Some(remover) => self.delete_with(remover, row).await?,
                    None => false,
                };
            if is_deleted || row.expires_at.plus(RETENTION) <= now {
                self.keys.forget(row.id).await?;
            }
        }
        Ok(())
    }

    /// Deletes a stray key of known secret with that secret, and nothing else: the key was never
    /// verified. Returns whether it is deleted.
    async fn delete_itself(&self, row: &Model) -> Result<bool> {
        if !row.is_stray() {
            return Ok(false);
        }
        let Some(id) = row.remote_key_id else { return Ok(false) };
        let Some(key) = self.keys.open(row)? else { return Ok(false) };
        match self.send(&key, &delete_request(id)).await {
            Ok(_) => Ok(true),
            Err(CallError::Other(error)) if error.code() == ErrorCode::NotFound => Ok(true),
            Err(CallError::Other(error)) => Err(error),
            // A key of full access that is refused has expired.
            Err(CallError::Credential(_)) => Ok(true),
        }
    }

    /// Deletes the keys of a row with another key. Returns whether none is left.
    async fn delete_with(&self, remover: &TenantKey, row: &Model) -> Result<bool> {
        let ids = match row.remote_key_id {
            Some(id) => vec![id],
            None => match self.stray_keys(remover, row).await? {
                StrayKeys::Found(ids) => ids,
                StrayKeys::Undecided => return Ok(false),
            },
        };
        let mut all_deleted = true;
        for id in ids {
            all_deleted &= match self.send(remover, &delete_request(id)).await {
                Ok(_) => true,
                Err(CallError::Other(error)) => error.code() == ErrorCode::NotFound,
                // A key that cannot delete itself any more is invalid already.
                Err(CallError::Credential(_)) => row.id == remover.id,
            };
        }
        Ok(all_deleted)
    }

    async fn send(&self, key: &TenantKey, request: &ApiRequest) -> Result<ApiResponse, CallError> {
        let route = key.route(self.connection);
        client::send(&self.keys.outbound, self.operation, &route, &key.auth(), request).await
    }

    /// The keys at the manager that have a stray key's name and that no row knows.
    async fn stray_keys(&self, remover: &TenantKey, stray: &Model) -> Result<StrayKeys> {
        let found = self.ids_of(remover, &stray.key_name).await?;
        // The rows are read after the search, so every key that it found is either pending or has
        // its id in a row.
        let reader = self.keys.database.reader();
        let rows = entity::all_at(reader, &stray.base_url, &stray.remote_tenant_id).await?;
        let is_being_minted = |row: &Model| {
            row.is_pending() && row.key_name == stray.key_name && row.id != remover.id
        };
        if rows.iter().any(is_being_minted) {
            return Ok(StrayKeys::Undecided);
        }
        let is_known = |id: &i64| rows.iter().any(|row| row.remote_key_id == Some(*id));
        Ok(StrayKeys::Found(found.into_iter().filter(|id| !is_known(id)).collect()))
    }

    /// The ids of the tenant's keys of that name.
    async fn ids_of(&self, remover: &TenantKey, name: &str) -> Result<Vec<i64>> {
        let request = ApiRequest::search("apikeys", exact_name::<ApiKey>(name)?);
        let response = self.send(remover, &request).await;
        let response =
            response.map_err(|error| error.into_error(&remover.route(self.connection)))?;
        let Page(keys) = response.read::<Page<ApiKey>>()?;
        // The manager may ignore case, and returns every key if it ignores the criterion.
        let named = keys.into_iter().filter(|key| key.key_name.as_deref() == Some(name));
        Ok(named.map(|key| key.id).collect())
    }
}

fn delete_request(id: i64) -> ApiRequest {
    ApiRequest::delete(["apikeys".into(), ObjectId(id).into()])
}
