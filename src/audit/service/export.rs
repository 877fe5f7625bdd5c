//! Export of records, before they are pruned or to keep them elsewhere.

use std::ops::{ControlFlow, Range};

use sea_orm::QuerySelect;
use serde_json::Value;

use super::Audit;
use crate::audit::canonical::exported;
use crate::audit::entity::{Entity, parts_in_period};
use crate::clock::Timestamp;
use crate::error::Error;

/// The time from the start until before the end.
pub type Period = Range<Timestamp>;

/// Records read at once.
const EXPORTED_AT_ONCE: u64 = 1000;

impl Audit {
    /// Gives the records of a period to `take`, until it breaks off: those in no chain as they were
    /// added, then the chain of each tenant. A part of a chain has no gaps, so that it may begin and
    /// end with records of shortly before and after the period. Records that are committed meanwhile
    /// do not matter: the positions of a chain are committed in their order.
    ///
    /// # Errors
    /// If the database cannot be asked, and those of `take`.
    pub async fn export<E: From<Error>>(
        &self,
        period: &Period,
        mut take: impl FnMut(Value) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let reader = self.database.reader();
        let parts = parts_in_period(reader, period).await.map_err(Error::from)?;
        let mut last = None;
        loop {
            let records = Entity::unchained_in_period(period, last).limit(EXPORTED_AT_ONCE);
            let records = records.all(reader).await.map_err(Error::from)?;
            let Some(newest) = records.last() else { break };
            last = Some(newest.seq);
            for record in &records {
                if take(exported(record))?.is_break() {
                    return Ok(());
                }
            }
        }
        for part in parts {
            let mut last = None;
            loop {
                let records = Entity::of_part(&part, last).limit(EXPORTED_AT_ONCE);
                let records = records.all(reader).await.map_err(Error::from)?;
                let Some(newest) = records.last() else { break };
                last = newest.position;
                for record in &records {
                    if take(exported(record))?.is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}
