//! Token revocation (RFC 7009).

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::claims::Claims;
use super::entity::revoked;
use crate::clock::{Clock, MonotonicTime};
use crate::database::{Database, Write};
use crate::error::Result;
use crate::ids::TokenId;

/// How long a revocation is kept after its token has expired, by the database's time. The margin is
/// wide because the clock of a database may be set too.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(24);

/// The revoked tokens. A node queries the database about a token at most once every few seconds,
/// and sees its own revocations at once.
pub struct Revocations {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    max_age: Duration,
    // When the database last had a token as not revoked.
    live: Cache<TokenId, MonotonicTime>,
    // A revocation is never undone. A cache of its own: a query that began before the revocation
    // cannot overwrite it.
    revoked: Cache<TokenId, ()>,
}

impl Revocations {
    /// Caches answers of the database for `max_age`, at most `capacity` of each kind.
    pub fn new(
        database: Arc<Database>,
        clock: Arc<dyn Clock>,
        max_age: Duration,
        capacity: usize,
    ) -> Self {
        Self { database, clock, max_age, live: Cache::new(capacity), revoked: Cache::new(capacity) }
    }

    /// Whether the token is revoked. Revocations by other nodes are seen with a delay of `max_age`.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn has(&self, token: TokenId) -> Result<bool> {
        if self.revoked.get(&token).is_some() {
            return Ok(true);
        }
        match self.live.get(&token) {
            Some(asked_at) if self.clock.monotonic().since(asked_at) < self.max_age => Ok(false),
            // Boxed: keeps the cold path out of the hot future's size.
            _ => self.has_now(token).boxed().await,
        }
    }

    /// Whether the token is revoked, asked of the database.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn has_now(&self, token: TokenId) -> Result<bool> {
        let asked_at = self.clock.monotonic();
        let held = revoked::holds(self.database.reader(), token).await?;
        if held {
            self.note(token);
        } else {
            self.live.insert(token, asked_at);
        }
        Ok(held || self.revoked.get(&token).is_some())
    }

    /// Stores the revocation of a token. Returns whether it is new. [`Revocations::note`] makes
    /// it effective once the transaction is committed.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn add(&self, write: &Write<'_>, claims: &Claims) -> Result<bool> {
        let row = revoked::Model { id: claims.jti, expires_at: claims.expires_at() };
        Ok(revoked::add(write.on(), row).await?)
    }

    /// Refuses the token on this node from now on.
    pub fn note(&self, token: TokenId) {
        self.revoked.insert(token, ());
        self.live.remove(&token);
    }

    /// Deletes revocations of expired tokens.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        Ok(revoked::forget(write.on(), self.clock.now().minus(KEPT_AFTER_EXPIRY)).await?)
    }
}
