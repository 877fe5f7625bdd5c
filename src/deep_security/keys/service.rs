//! Returns a tenant's key: cached, stored, or minted by one node while others wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};

use super::entity::{self, Model};
use super::key::{KeySlot, TenantKey, is_usable_until};
use super::mint::{self, KeyRequest};
use super::state::Keys;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::deep_security::client::with_upstream;
use crate::deep_security::model::KeyAccess;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::LinkId;
use crate::outbound::{Flight, Operation};
use crate::upstreams::Connection;

/// How often a node checks whether another node has minted the key.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The number of searches for one caller. A search is repeated when the key that it found was
/// refused, or its installation changed, before the search ended.
const ATTEMPTS: usize = 3;

impl Keys {
    /// A key with exactly that access for the tenant of the connection. A cached key costs no query
    /// of the database; after four fifths of its lifetime it is renewed in the background.
    ///
    /// # Errors
    /// `UPSTREAM_REJECTED` if the tenant is not active or has no read-only role;
    /// `UPSTREAM_UNAUTHORIZED` if the primary manager refuses the gateway's credential; as every
    /// call.
    pub async fn key(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        access: KeyAccess,
        operation: &Operation,
    ) -> Result<Arc<TenantKey>> {
        let slot = slot(connection, access)?;
        let now = self.clock.now();
        if let Some(key) = self.cached(slot).filter(|key| self.is_good(key, connection, now)) {
            if key.take_renewal(now) {
                drop(self.search(connection, slot, operation, true));
            }
            return Ok(key);
        }
        for _ in 0..ATTEMPTS {
            let key = self.search(connection, slot, operation, false).await?;
            // The search may have started before the key was refused or the installation moved.
            if self.is_good(&key, connection, self.clock.now()) {
                return Ok(key);
            }
        }
        let message = "the tenant's Deep Security keys are changing; try again";
        let error = Error::new(ErrorCode::UpstreamUnavailable, message);
        Err(with_upstream(error, &connection.installation_route(), None))
    }

    /// Another key in place of a refused one. However many calls are refused at once, on however
    /// many nodes, one key is minted.
    ///
    /// # Errors
    /// As [`Keys::key`].
    pub async fn replace(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        refused: &TenantKey,
        operation: &Operation,
    ) -> Result<Arc<TenantKey>> {
        self.refused.insert(refused.id, ());
        self.key(connection, refused.slot.access, operation).await
    }

    /// When the keys in use for links expire; that of the key with full access, if a link has two.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn expire_at(&self, links: &[LinkId]) -> Result<HashMap<LinkId, Timestamp>> {
        let rows = entity::live_of(self.database.reader(), links, self.clock.now()).await?;
        let mut keys: HashMap<LinkId, (KeyAccess, Timestamp)> = HashMap::new();
        // Newest first: only a key with more access replaces an earlier one.
        for row in rows {
            let Some(slot) = row.slot() else { continue };
            let is_preferred = match keys.get(&slot.link) {
                None => true,
                Some((known, _)) => *known == KeyAccess::Read && slot.access == KeyAccess::Full,
            };
            if is_preferred {
                keys.insert(slot.link, (slot.access, row.expires_at));
            }
        }
        Ok(keys.into_iter().map(|(link, (_, expires_at))| (link, expires_at)).collect())
    }

    fn is_good(&self, key: &TenantKey, connection: &Connection, now: Timestamp) -> bool {
        key.is_valid_for(connection, now) && self.refused.get(&key.id).is_none()
    }

    /// Joins the search for a key of the slot that is under way, or starts one. With `renewing`, a
    /// stored key that is due for renewal does not end the search. A search continues after its
    /// callers have disconnected: a key that the manager was asked for must be recorded.
    fn search(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        slot: KeySlot,
        operation: &Operation,
        renewing: bool,
    ) -> Flight<Result<Arc<TenantKey>>> {
        let start = || {
            let keys = self.clone();
            let request_id = operation.request_id().to_owned();
            let wanted = KeyRequest { connection: connection.clone(), slot, renewing, request_id };
            async move {
                let found = keys.find_or_mint(&wanted).await;
                if let Err(error) = &found {
                    let code = error.code().as_str();
                    let tenant = wanted.connection.tenant;
                    tracing::warn!(code, %tenant, "could not obtain a Deep Security key");
                }
                found
            }
            .boxed()
        };
        let lost = |error| Err(Error::internal(error));
        self.searches.join_or_spawn(slot, start, lost).flight
    }

    async fn find_or_mint(&self, wanted: &KeyRequest) -> Result<Arc<TenantKey>> {
        let deadline = Instant::now() + mint::DEADLINE + self.settings.lease;
        loop {
            if let Some(key) = self.stored(wanted).await? {
                return Ok(self.cache(key));
            }
            self.check_backoff(wanted.slot)?;
            if let Some(row) = self.claim(wanted).await? {
                match self.mint(wanted, row).await {
                    Ok(key) => return Ok(self.cache(key)),
                    // Another node took the claim over: its key is read, or awaited, next.
                    Err(error) if error.is_write_conflict() && Instant::now() < deadline => {
                        let tenant = wanted.connection.tenant;
                        tracing::info!(%tenant, cause = %error, "looking for another node's key");
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            if Instant::now() >= deadline {
                let message = "timed out waiting for another node to mint the tenant's key";
                let error = Error::new(ErrorCode::UpstreamTimeout, message);
                return Err(with_upstream(error, &wanted.connection.installation_route(), None));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn stored(&self, wanted: &KeyRequest) -> Result<Option<TenantKey>> {
        let now = self.clock.now();
        let row = entity::live(self.database.reader(), wanted.slot, now).await?;
        let row = row.filter(|row| {
            is_usable_until(row.expires_at, now) && (!wanted.renewing || row.renew_at > now)
        });
        let key = row.map(|row| self.open(&row)).transpose()?.flatten();
        Ok(key.filter(|key| self.is_good(key, &wanted.connection, now)))
    }

    /// Claims the minting of a key; `None` if a key already exists or another node has the claim.
    async fn claim(&self, wanted: &KeyRequest) -> Result<Option<Model>> {
        let now = self.clock.now();
        let row = self.planned(wanted, now);
        let claim = async |write: Arc<Write<'_>>| {
            // SQLite serializes writers: a key of the writer before is visible here.
            if self.stored(wanted).await?.is_some() {
                return Ok(false);
            }
            entity::claim(&write, row.clone(), self.settings.lease, now).await
        };
        if !self.database.transaction(claim).await? {
            return Ok(None);
        }
        // On PostgreSQL another node may have finished between the check and the claim.
        if self.stored(wanted).await?.is_some() {
            self.give_up(&row, false).await?;
            return Ok(None);
        }
        Ok(Some(row))
    }
}

fn slot(connection: &Connection, access: KeyAccess) -> Result<KeySlot> {
    let unlinked = || Error::internal("a minted key needs a linked tenant");
    let link = connection.link.ok_or_else(unlinked)?;
    Ok(KeySlot { link, access })
}
