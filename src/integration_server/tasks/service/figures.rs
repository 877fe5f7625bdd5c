//! Figures of the tasks of all tenants.

use crate::database::Database;
use crate::error::Result;
use crate::integration_server::tasks::entity::task;
use crate::integration_server::tasks::model::Phase;

/// How many tasks have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskFigures {
    /// The call may have been sent; no answer is recorded.
    pub sent: u64,
    /// The server works on it.
    pub known: u64,
    /// The answer was lost; the gateway looks for the task.
    pub lost: u64,
}

/// Counts the tasks of all tenants that have not ended: for figures of the whole gateway, which
/// name no tenant.
///
/// # Errors
/// If the database cannot be asked.
pub async fn figures(database: &Database) -> Result<TaskFigures> {
    let counted = task::Entity::count_by_phase().into_tuple();
    let counted: Vec<(String, i64)> = counted.all(database.reader()).await?;
    let number = |phase: Phase| {
        let found = counted.iter().find(|(name, _)| name == phase.as_str());
        found.map_or(0, |(_, number)| number.unsigned_abs())
    };
    Ok(TaskFigures {
        sent: number(Phase::Sent),
        known: number(Phase::Known),
        lost: number(Phase::Lost),
    })
}
