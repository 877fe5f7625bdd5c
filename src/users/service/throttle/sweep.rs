//! Deletes rows that hold nobody up any more, and the surplus of a full table.

use std::time::Duration;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use super::KNOWN_FOR;
use super::allowance::DAY;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::Result;
use crate::users::entity::failure::{Column, Entity};

/// Deletes expired rows, and of more than `most` those that would expire first, so that an
/// attacker with many networks cannot fill the disk. Those for which somebody has to wait stay:
/// a flood of rows must not end a wait.
pub async fn forget_expired(write: &Write<'_>, now: Timestamp, most: u64) -> Result<()> {
    let old = |age: Duration| Column::LastAt.lt(Timestamp::minus(now, age));
    // Older versions write no end.
    let without_end = Condition::any()
        .add(Condition::all().add(Column::Failures.gt(0)).add(old(DAY)))
        .add(old(KNOWN_FOR));
    let forgotten = Condition::any()
        .add(Column::KeptUntil.lte(now))
        .add(Condition::all().add(Column::KeptUntil.is_null()).add(without_end));
    let waits_for_nobody = Column::BlockedUntil.lte(now);
    let expired = Entity::delete_many().filter(forgotten).filter(waits_for_nobody.clone());
    expired.exec(write.on()).await?;
    let surplus = Entity::kept_longest().offset(most).limit(1).one(write.on()).await?;
    if let Some(end) = surplus.and_then(|row| row.kept_until) {
        let sooner =
            Condition::any().add(Column::KeptUntil.lte(end)).add(Column::KeptUntil.is_null());
        let surplus = Entity::delete_many().filter(sooner).filter(waits_for_nobody);
        surplus.exec(write.on()).await?;
    }
    Ok(())
}
