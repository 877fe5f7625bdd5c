//! Retention of records, and their export before they are pruned.

use std::ops::Range;
use std::sync::Arc;

use sea_orm::QuerySelect;
use serde_json::{Value, json};

use super::Audit;
use crate::audit::entity::{self, Entity, Model};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::Result;

/// The time from the start until before the end.
pub type Period = Range<Timestamp>;

/// Records deleted in one transaction, which other writers wait for.
const PRUNED_AT_ONCE: u64 = 500;

/// Transactions in one round, which takes seconds.
const STEPS_MAX: usize = 40;

/// Records read at once.
const EXPORTED_AT_ONCE: u64 = 1000;

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
            let prune = async |write: Arc<Write<'_>>| {
                if !entity::may_prune(write.on()).await? {
                    return Ok(0);
                }
                Ok(entity::prune(write.on(), before, PRUNED_AT_ONCE).await?)
            };
            let step = self.database.transaction(prune).await?;
            pruned += step;
            if step < PRUNED_AT_ONCE {
                break;
            }
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

    /// The records of a period that were added after the one with that number, in the order in
    /// which they were added: the next thousand at most, each with its number.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn export(&self, period: &Period, after: i64) -> Result<Vec<(i64, Value)>> {
        let records = Entity::in_period(period, after).limit(EXPORTED_AT_ONCE);
        let records = records.all(self.database.reader()).await?;
        Ok(records.into_iter().map(|record| (record.seq, exported(record))).collect())
    }
}

/// A record with the names that it has in the graph.
fn exported(record: Model) -> Value {
    let parsed =
        |text: Option<String>| text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    json!({
        "id": record.id,
        "at": record.at.to_string(),
        "actor": record.actor,
        "actingTenantID": record.acting_tenant_id,
        "tenantID": record.tenant_id,
        "operation": record.operation,
        "subject": record.subject,
        "outcome": record.outcome,
        "code": record.code,
        "reason": record.reason,
        "count": record.count,
        "requestID": record.request_id,
        "callerRequestID": record.caller_request_id,
        "upstreamRequestIDs": parsed(record.upstream_request_ids).unwrap_or_else(|| json!([])),
        "before": parsed(record.before),
        "after": parsed(record.after),
    })
}
