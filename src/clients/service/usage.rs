//! Last use of secrets and keys: counted in memory, written in batches.
//!
//! A token costs no write of its own. The counts of the last moments are lost if the process is
//! killed; they say when a secret was used, and nothing depends on them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use crate::clients::entity::{Column, Entity, key, secret};
use crate::clock::Timestamp;
use crate::database::{Database, Write};
use crate::error::Result;
use crate::ids::{ClientId, ClientKeyId, SecretId};

/// How long a read waits until usage is written.
const READ_WAITS: Duration = Duration::from_millis(200);

/// The credential of an authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// A secret.
    Secret(SecretId),
    /// A signature by its key.
    Key(ClientKeyId),
}

/// The purpose of an authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A token request.
    Token,
    /// Introspection or revocation, which counts as a use of the credential but not as a token
    /// request.
    Inquiry,
}

#[derive(Clone, Copy)]
struct Used {
    tokens: i64,
    token_at: Option<Timestamp>,
    at: Timestamp,
    from: IpAddr,
}

/// Uses of secrets and keys that are not written yet.
pub struct Usage {
    database: Arc<Database>,
    pending: Mutex<HashMap<(ClientId, Credential), Used>>,
    // Two batches at once could write an older moment over a newer one.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl Usage {
    /// Nothing used yet.
    pub fn new(database: Arc<Database>) -> Self {
        Self { database, pending: Mutex::default(), writing: Arc::default() }
    }

    /// Notes one use.
    pub fn note(
        &self,
        client: ClientId,
        credential: Credential,
        purpose: Purpose,
        at: Timestamp,
        from: IpAddr,
    ) {
        let mut pending = self.pending();
        let used = pending.entry((client, credential)).or_insert(Used {
            tokens: 0,
            token_at: None,
            at,
            from,
        });
        (used.at, used.from) = (at, from);
        if purpose == Purpose::Token {
            (used.tokens, used.token_at) = (used.tokens + 1, Some(at));
        }
    }

    /// Flushes usage and waits briefly, so that a read shows it. Reads do not wait for writers:
    /// while the database is busy they show the usage written before.
    pub async fn flush_soon(self: &Arc<Self>) {
        if self.pending().is_empty() && self.writing.try_lock().is_ok() {
            return;
        }
        if let Ok(guard) = self.writing.clone().try_lock_owned() {
            let usage = self.clone();
            // A task of its own: the read may be cancelled meanwhile.
            let flushing = tokio::spawn(async move {
                if let Err(error) = usage.flush_locked(guard).await {
                    error.log_cause();
                }
            });
            timeout(READ_WAITS, flushing).await.ok();
        } else {
            // Another task is writing.
            timeout(READ_WAITS, self.writing.lock()).await.ok();
        }
    }

    /// Writes the noted usage. Usage that cannot be written is kept for the next flush.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn flush(&self) -> Result<()> {
        let guard = self.writing.clone().lock_owned().await;
        self.flush_locked(guard).await
    }

    async fn flush_locked(&self, _guard: OwnedMutexGuard<()>) -> Result<()> {
        let batch = std::mem::take(&mut *self.pending());
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.write(&batch).await;
        if written.is_err() {
            let mut pending = self.pending();
            for (key, old) in batch {
                let merged = pending.entry(key).and_modify(|new| {
                    (new.tokens, new.token_at) =
                        (new.tokens + old.tokens, new.token_at.or(old.token_at));
                });
                merged.or_insert(old);
            }
        }
        written
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<(ClientId, Credential), Used>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, batch: &HashMap<(ClientId, Credential), Used>) -> Result<()> {
        // Sorted, so that two nodes lock rows in the same order.
        let mut batch: Vec<_> = batch.iter().collect();
        batch.sort_unstable_by_key(|(key, _)| **key);
        self.database.transaction(|write| write_batch(write, &batch)).await
    }
}

async fn write_batch(
    write: Arc<Write<'_>>,
    batch: &[(&(ClientId, Credential), &Used)],
) -> Result<()> {
    for ((client, credential), used) in batch {
        // Also where no token was given: a client's row is locked before what belongs to it, as
        // everywhere.
        let count = Expr::col(Column::TokenRequestCount).add(used.tokens);
        let mut update = Entity::update_many().col_expr(Column::TokenRequestCount, count);
        if let Some(token_at) = used.token_at {
            update = update.col_expr(Column::TokenRequestTime, Expr::value(token_at));
        }
        update.filter(Column::Id.eq(*client)).exec(write.on()).await?;
        credential.write(write.on(), used).await?;
    }
    Ok(())
}

impl Credential {
    async fn write(self, on: &impl ConnectionTrait, used: &Used) -> Result<()> {
        let at = Expr::value(used.at);
        let from = Expr::value(used.from.to_string());
        match self {
            Self::Secret(id) => {
                use secret::Column;
                let update = secret::Entity::update_many()
                    .filter(Column::Id.eq(id))
                    .col_expr(Column::LastUsedAt, at);
                update.col_expr(Column::LastUsedFrom, from).exec(on).await?;
            }
            Self::Key(id) => {
                use key::Column;
                let update = key::Entity::update_many()
                    .filter(Column::Id.eq(id))
                    .col_expr(Column::LastUsedAt, at);
                update.col_expr(Column::LastUsedFrom, from).exec(on).await?;
            }
        }
        Ok(())
    }
}
