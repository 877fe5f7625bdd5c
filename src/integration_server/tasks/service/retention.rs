//! Deletion of expired tasks and histories.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::Tasks;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::Result;
use crate::integration_server::tasks::entity::{event, task};

/// How long the history of a task is kept after its end; its last state remains.
const EVENTS_RETENTION: Duration = Duration::from_hours(24);

/// How long a task is kept after its end.
const TASK_RETENTION: Duration = Duration::from_hours(24 * 90);

impl Tasks {
    /// Deletes tasks that ended 90 days ago, and histories of tasks that ended a day ago.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn delete_expired(&self) -> Result<()> {
        let ended_before = |age: Duration| {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            task::Column::EndedAt
                .lt(Timestamp::from_millis(self.clock.now().millis().saturating_sub(age)))
        };
        let over = Query::select()
            .column(task::Column::Id)
            .from(task::Entity)
            .and_where(ended_before(EVENTS_RETENTION))
            .to_owned();
        let forget = async |write: Arc<Write<'_>>| {
            event::Entity::delete_many()
                .filter(event::Column::TaskId.in_subquery(over.clone()))
                .exec(write.on())
                .await?;
            task::Entity::delete_many()
                .filter(ended_before(TASK_RETENTION))
                .exec(write.on())
                .await?;
            Ok(())
        };
        self.database.transaction(forget).await
    }
}
