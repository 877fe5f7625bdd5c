//! When which secret was last used: counted in memory, written in batches.
//!
//! A token costs no write of its own. The counts of the last moments are lost if the process is killed; they say when a
//! secret was used, and nothing depends on them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::clients::entity::{Column, Entity, secret};
use crate::clock::Timestamp;
use crate::database::Database;
use crate::error::Result;
use crate::ids::{ClientId, SecretId};

#[derive(Clone, Copy)]
struct Used {
    count: i64,
    at: Timestamp,
    from: IpAddr,
}

/// Uses of secrets that are not written yet.
pub struct Usage {
    database: Arc<Database>,
    pending: Mutex<HashMap<(ClientId, SecretId), Used>>,
    // Two batches at once could write an older moment over a newer one.
    writing: tokio::sync::Mutex<()>,
}

impl Usage {
    /// Nothing used yet.
    pub fn new(database: Arc<Database>) -> Self {
        Self { database, pending: Mutex::default(), writing: tokio::sync::Mutex::default() }
    }

    /// Notes one use.
    pub fn note(&self, client: ClientId, secret: SecretId, at: Timestamp, from: IpAddr) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let used = pending.entry((client, secret)).or_insert(Used { count: 0, at, from });
        *used = Used { count: used.count + 1, at, from };
    }

    /// Writes what was noted. What cannot be written is kept for the next time.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn flush(&self) -> Result<()> {
        let _turn = self.writing.lock().await;
        let batch = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.write(&batch).await;
        if written.is_err() {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, old) in batch {
                pending.entry(key).and_modify(|new| new.count += old.count).or_insert(old);
            }
        }
        written
    }

    async fn write(&self, batch: &HashMap<(ClientId, SecretId), Used>) -> Result<()> {
        // Sorted, so that two nodes lock rows in the same order.
        let mut batch: Vec<_> = batch.iter().collect();
        batch.sort_unstable_by_key(|(key, _)| **key);
        let write = self.database.write().await?;
        for ((client, secret), used) in batch {
            Entity::update_many()
                .col_expr(Column::TokenRequestCount, Expr::col(Column::TokenRequestCount).add(used.count))
                .col_expr(Column::TokenRequestTime, Expr::value(used.at))
                .filter(Column::Id.eq(*client))
                .exec(write.on())
                .await?;
            secret::Entity::update_many()
                .col_expr(secret::Column::LastUsedAt, Expr::value(used.at))
                .col_expr(secret::Column::LastUsedFrom, Expr::value(used.from.to_string()))
                .filter(secret::Column::Id.eq(*secret))
                .exec(write.on())
                .await?;
        }
        write.commit().await
    }
}
