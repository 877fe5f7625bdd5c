//! The lease of a claim, kept while its key is minted.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::entity;
use super::state::Keys;
use crate::database::{Database, Write};
use crate::error::Result;
use crate::ids::TenantKeyId;

impl Keys {
    /// Renews the lease of a claim until the returned sender is dropped. A crashed process renews
    /// nothing, and another node takes over.
    pub(super) fn keep_lease(&self, id: TenantKeyId) -> oneshot::Sender<()> {
        let (held, mut dropped) = oneshot::channel();
        let database = self.database.clone();
        let lease = self.settings.lease;
        // Spawned, so that dropping the sender ends the loop only between two renewals: a renewal
        // that has begun is not cut off within its transaction.
        tokio::spawn(async move {
            while timeout(lease / 3, &mut dropped).await.is_err() {
                if let Err(error) = renew(&database, id, lease).await {
                    error.log_cause();
                }
            }
        });
        held
    }
}

async fn renew(database: &Database, id: TenantKeyId, lease: Duration) -> Result<()> {
    let renew = async |write: Arc<Write<'_>>| entity::renew_lease(&write, id, lease).await;
    database.transaction(renew).await
}
