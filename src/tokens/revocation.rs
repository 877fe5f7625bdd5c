//! Tokens that were ended before their time (RFC 7009).

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

/// How much longer than its token a revocation is kept, by the database's time. Wide, for the clock
/// of a database may be set too.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(24);

/// Knows which tokens were revoked. A node asks the database about a token at most once every few
/// seconds, and sees its own revocations at once.
pub struct Revocations {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    max_age: Duration,
    // When the database last said that a token is not revoked.
    live: Cache<TokenId, MonotonicTime>,
    // What is here stays so: a revocation is never undone. Apart from the others, so that an answer
    // which was on its way when the token was revoked cannot cover it.
    revoked: Cache<TokenId, ()>,
}

impl Revocations {
    /// Believes an answer of the database for `max_age`, and remembers at most `capacity` of each
    /// kind.
    pub fn new(
        database: Arc<Database>,
        clock: Arc<dyn Clock>,
        max_age: Duration,
        capacity: usize,
    ) -> Self {
        Self { database, clock, max_age, live: Cache::new(capacity), revoked: Cache::new(capacity) }
    }

    /// Whether the token was revoked; of what other nodes did, the last moments may be missing.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn has(&self, token: TokenId) -> Result<bool> {
        if self.revoked.get(&token).is_some() {
            return Ok(true);
        }
        match self.live.get(&token) {
            Some(asked_at) if self.clock.monotonic().since(asked_at) < self.max_age => Ok(false),
            // Boxed, so that the many tokens that were looked up before do not carry the room that
            // asking takes.
            _ => self.has_now(token).boxed().await,
        }
    }

    /// Whether the token was revoked, on whichever node.
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

    /// Writes down that a token is revoked; says whether that is new. [`Revocations::note`] makes
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

    /// Forgets revocations of tokens that ended by themselves.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        Ok(revoked::forget(write.on(), self.clock.now().minus(KEPT_AFTER_EXPIRY)).await?)
    }
}
