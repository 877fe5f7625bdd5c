//! Export of records, before they are pruned or to keep them elsewhere.

use std::ops::Range;

use sea_orm::QuerySelect;
use serde_json::Value;

use super::Audit;
use crate::audit::canonical::exported;
use crate::audit::entity::Entity;
use crate::clock::Timestamp;
use crate::error::Result;

/// The time from the start until before the end.
pub type Period = Range<Timestamp>;

/// Records read at once.
const EXPORTED_AT_ONCE: u64 = 1000;

impl Audit {
    /// The records of a period that were added after the one with that number, in the order in
    /// which they were added: the next thousand at most, each with its number.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn export(&self, period: &Period, after: i64) -> Result<Vec<(i64, Value)>> {
        let records = Entity::in_period(period, after).limit(EXPORTED_AT_ONCE);
        let records = records.all(self.database.reader()).await?;
        Ok(records.into_iter().map(|record| (record.seq, exported(&record))).collect())
    }
}
