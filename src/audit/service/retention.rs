//! Retention of records. Pruning deletes the beginning of a chain and moves the chain's anchor
//! behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Audit;
use crate::audit::entity::chain::{self, Model as Chain};
use crate::audit::entity::{self, Link};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::Result;
use crate::ids::TenantId;

/// Records deleted in one transaction, which other writers wait for.
const PRUNED_AT_ONCE: u64 = 500;

/// Chains shortened in one transaction.
const CHAINS_AT_ONCE: u64 = 50;

/// The maximum number of transactions in one round, so that a round ends within seconds.
const STEPS_MAX: usize = 40;

impl Audit {
    /// Deletes records from before that time, oldest first and in small steps, unless another node
    /// does so already. Records left after some steps wait for the next round. Returns the number
    /// of deleted records.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn prune(&self, before: Timestamp) -> Result<u64> {
        let mut pruned = 0;
        for _ in 0..STEPS_MAX {
            let step = async |write: Arc<Write<'_>>| self.prune_step(&write, before).await;
            let step = self.database.transaction(step).await?;
            if step == 0 {
                break;
            }
            pruned += step;
        }
        if pruned > 0 {
            tracing::info!(
                pruned,
                before = %before,
                "audit records older than audit.retention were deleted"
            );
        }
        Ok(pruned)
    }

    async fn prune_step(&self, write: &Write<'_>, before: Timestamp) -> Result<u64> {
        if !entity::may_prune(write.on()).await? {
            return Ok(0);
        }
        let unchained = entity::prune_unchained(write.on(), before, PRUNED_AT_ONCE).await?;
        if unchained > 0 {
            return Ok(unchained);
        }
        let now = self.clock.now();
        let tenants = entity::prunable(write.on(), before, now, CHAINS_AT_ONCE).await?;
        let chains = chain::lock(write.on(), tenants.into_iter().collect()).await?;
        shorten(write, chains, before, now).await
    }
}

/// Deletes the beginning of these chains, each of which has a record from before that moment in
/// front of all younger ones but those of the future.
async fn shorten(
    write: &Write<'_>,
    chains: BTreeMap<TenantId, Chain>,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64> {
    let mut left = PRUNED_AT_ONCE;
    let mut moved = Vec::new();
    for mut chain in chains.into_values() {
        let first = entity::first_links(write.on(), chain.tenant_id, left).await?;
        let prunable = prunable_prefix(&first, before, now);
        let Some(last) = prunable.last() else { continue };
        move_anchor(&mut chain, prunable);
        chain.anchor_moved_at = Some(now);
        let pruned = entity::prune_prefix(write.on(), chain.tenant_id, last.position).await?;
        moved.push(chain);
        left = left.saturating_sub(pruned);
        if left == 0 {
            break;
        }
    }
    chain::store_anchors(write.on(), moved).await?;
    Ok(PRUNED_AT_ONCE - left)
}

/// The records up to the last one from before that moment. Records of the future, which a wrong
/// clock wrote, are no reason to keep those behind them: if all are of the future, one from before
/// that moment follows, and they are pruned before it.
fn prunable_prefix(records: &[Link], before: Timestamp, now: Timestamp) -> &[Link] {
    let is_young = |record: &Link| record.at >= before && record.at <= now;
    let young = records.iter().position(is_young);
    let prefix = &records[..young.unwrap_or(records.len())];
    match prefix.iter().rposition(|record| record.at < before) {
        Some(last) => &prefix[..=last],
        None if young.is_none() => prefix,
        None => &[],
    }
}

/// Moves the anchor behind the records, the oldest of the chain. Records that nothing links to are
/// no reason to keep others for longer than the retention, but to warn: a verification cannot find
/// them any more.
fn move_anchor(chain: &mut Chain, records: &[Link]) {
    for record in records {
        let position = record.position;
        let is_next = chain.anchor_position.checked_add(1) == Some(position);
        let is_linked = record.previous_hash.as_ref() == Some(&chain.anchor_hash);
        if !is_next || !is_linked {
            tracing::warn!(
                tenant = %chain.tenant_id,
                position,
                anchor = chain.anchor_position,
                "audit chain is broken before a record that was pruned"
            );
        }
        if position > chain.anchor_position {
            chain.anchor_position = position;
            chain.anchor_hash = record.hash.clone().unwrap_or_default();
        }
    }
}
