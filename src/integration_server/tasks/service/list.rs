//! Finding records, and reading histories.

use std::collections::HashSet;

use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};

use super::{NAMED_AT_ONCE, Tasks, WHAT};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{TaskId, UpstreamId};
use crate::integration_server::model::{RemoteId, TaskState};
use crate::integration_server::tasks::entity::{event, task};
use crate::integration_server::tasks::model::{Phase, Purpose, Record, Snapshot, TasksWanted};

/// The states that have a name.
const NAMED: [TaskState; 8] = [
    TaskState::Created,
    TaskState::Queued,
    TaskState::Starting,
    TaskState::Running,
    TaskState::Stopping,
    TaskState::Completed,
    TaskState::Failed,
    TaskState::Canceled,
];

impl Tasks {
    /// A task about the tenant of the scope or one below it, by the server's identifier.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other, in the same words for foreign and unknown.
    pub async fn find(&self, scope: &TenantScope, id: &str) -> Result<Record> {
        let id = RemoteId::read(id).ok_or_else(|| Error::not_found(WHAT))?;
        let found = task::Entity::of_tenant(scope).filter(task::Column::RemoteTaskId.eq(id.canonical()));
        let newest = found.order_by_desc(task::Column::CreatedAt).one(self.database.reader()).await?;
        newest.ok_or_else(|| Error::not_found(WHAT))
    }

    /// One that was just found, as it is now.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is gone.
    pub async fn again(&self, scope: &TenantScope, id: TaskId) -> Result<Record> {
        let found = task::Entity::of_tenant(scope).filter(task::Column::Id.eq(id));
        found.one(self.database.reader()).await?.ok_or_else(|| Error::not_found(WHAT))
    }

    /// The task about the tenant of the scope or one below it that made that report.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, in the same words for foreign and unknown.
    pub async fn of_report(&self, scope: &TenantScope, id: &str) -> Result<Record> {
        let not_found = || Error::not_found("report");
        let id = RemoteId::read(id).ok_or_else(not_found)?;
        let found = task::Entity::of_tenant(scope)
            .filter(task::Column::ResultId.eq(id.canonical()))
            .filter(task::Column::Kind.eq(Purpose::Report.as_str()));
        let newest = found.order_by_desc(task::Column::CreatedAt).one(self.database.reader()).await?;
        newest.ok_or_else(not_found)
    }

    /// The tasks about the tenant of the scope and those below it, the newest first, after a place; one more than asked for, if there
    /// is one.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(
        &self,
        scope: &TenantScope,
        wanted: TasksWanted,
        after: Option<(i64, TaskId)>,
        count: u64,
    ) -> Result<Vec<Record>> {
        let mut select = task::Entity::of_tenant(scope).limit(count + 1);
        select = match wanted.state {
            None => select,
            Some(Some(state)) => select.filter(task::Column::State.eq(state)),
            Some(None) => select.filter(task::Column::State.is_not_in(NAMED.iter().map(TaskState::as_str))),
        };
        if let Some(kind) = wanted.kind {
            let fitting = Purpose::ALL.into_iter().filter(|purpose| purpose.kind().as_str() == kind);
            select = select.filter(task::Column::Kind.is_in(fitting.map(Purpose::as_str)));
        }
        if let Some(from) = wanted.created_from {
            select = select.filter(task::Column::StartedAt.gte(from));
        }
        // The server's dates end at the second, and so would their order.
        if let Some((created, id)) = after {
            let created = Timestamp::from_millis(created);
            let tie = Condition::all().add(task::Column::CreatedAt.eq(created)).add(task::Column::Id.lt(id));
            select = select.filter(Condition::any().add(task::Column::CreatedAt.lt(created)).add(tie));
        }
        let select = select.order_by_desc(task::Column::CreatedAt).order_by_desc(task::Column::Id);
        Ok(select.all(self.database.reader()).await?)
    }

    /// Which of these tasks of the server's have a record already.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn claimed(&self, upstream: UpstreamId, remote: Vec<String>) -> Result<HashSet<String>> {
        let mut claimed = HashSet::new();
        for some in remote.chunks(NAMED_AT_ONCE) {
            let found = task::Entity::claimed(upstream, some).all(self.database.reader()).await?;
            claimed.extend(found.into_iter().filter_map(|record| record.remote_task_id));
        }
        Ok(claimed)
    }

    /// The changes of a task after one of them, and whether no more will come.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn changes(&self, id: TaskId, after: i64) -> Result<(Vec<(i64, Snapshot)>, bool)> {
        // First whether it has ended: what it changed to before that is then in the history.
        let record = task::Entity::watched(id).one(self.database.reader()).await?;
        let events = event::Entity::watched(id, after).all(self.database.reader()).await?;
        let events = events.into_iter().map(|event| Ok((event.sequence, Snapshot::read(&event.snapshot)?)));
        let ended = record.is_none_or(|record| record.phase == Phase::Ended.as_str());
        Ok((events.collect::<Result<_>>()?, ended))
    }
}
