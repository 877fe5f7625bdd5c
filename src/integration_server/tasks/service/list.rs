//! Queries for records and histories.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::{BIND_MAX, Tasks, WHAT};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{TaskId, UpstreamId};
use crate::integration_server::model::{RemoteId, TaskState};
use crate::integration_server::tasks::TaskRecord;
use crate::integration_server::tasks::entity::{event, task};
use crate::integration_server::tasks::model::{Purpose, Snapshot, StateFilter, TaskQuery};

/// The states that the vendor's documents list.
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
    /// A task of the scope's tenant or of one below it, by the gateway's id or by the vendor's. The
    /// vendor's id must name one task of the installations that the scope's tenant owns or is
    /// linked to.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other, in the same words for foreign and unknown; `CONFLICT` for a
    /// vendor's id that names several tasks.
    pub async fn find(&self, scope: &TenantScope, id: &str) -> Result<TaskRecord> {
        let found = self
            .by_own_or_remote_id(
                scope,
                task::Entity::of_tenant(scope),
                task::Column::RemoteTaskId,
                id,
            )
            .await?;
        found.ok_or_else(|| Error::not_found(WHAT))
    }

    /// The current version of a record that was found before.
    ///
    /// # Errors
    /// `NOT_FOUND` if it was deleted.
    pub async fn reload(&self, scope: &TenantScope, id: TaskId) -> Result<TaskRecord> {
        let found = task::Entity::of_tenant(scope).filter(task::Column::Id.eq(id));
        found.one(self.database.reader()).await?.ok_or_else(|| Error::not_found(WHAT))
    }

    /// The task about the tenant of the scope or one below it that made that report. The report has
    /// the gateway's own id of the task; the vendor's id of the report is taken as in
    /// [`Tasks::find`].
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, in the same words for foreign and unknown; `CONFLICT` for a
    /// vendor's id that names several reports.
    pub async fn of_report(&self, scope: &TenantScope, id: &str) -> Result<TaskRecord> {
        let reports =
            task::Entity::of_tenant(scope).filter(task::Column::Kind.eq(Purpose::Report.as_str()));
        let found = self.by_own_or_remote_id(scope, reports, task::Column::ResultId, id).await?;
        found.filter(|record| record.result_id.is_some()).ok_or_else(|| Error::not_found("report"))
    }

    /// The gateway's own id is unique over all installations and decides first. An installation
    /// chooses its ids freely, so a vendor's id counts only at the installations of the scope's own
    /// tenant, and there a record of that tenant goes before those of tenants below it.
    async fn by_own_or_remote_id(
        &self,
        scope: &TenantScope,
        records: Select<task::Entity>,
        remote: task::Column,
        id: &str,
    ) -> Result<Option<TaskRecord>> {
        if let Ok(own) = id.parse::<TaskId>() {
            let found = records
                .clone()
                .filter(task::Column::Id.eq(own))
                .one(self.database.reader())
                .await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        let Some(id) = RemoteId::read(id) else { return Ok(None) };
        let at_own = task::Column::UpstreamId.is_in(self.upstreams.ids_of_tenant(scope).await?);
        let records = records.filter(remote.eq(id.canonical())).filter(at_own);
        let of_tenant = records.clone().filter(task::Column::TenantId.eq(scope.tenant()));
        match self.only(of_tenant).await? {
            Some(found) => Ok(Some(found)),
            None => self.only(records).await,
        }
    }

    async fn only(&self, records: Select<task::Entity>) -> Result<Option<TaskRecord>> {
        let mut found = records.limit(2).all(self.database.reader()).await?;
        if found.len() > 1 {
            return Err(Error::conflict(
                "the vendor's id is ambiguous; use the gateway's id instead",
            ));
        }
        Ok(found.pop())
    }

    /// The tasks about the tenant of the scope and those below it, the newest first, after a place;
    /// one more than asked for, if there is one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn list(
        &self,
        scope: &TenantScope,
        wanted: TaskQuery,
        after: Option<(i64, TaskId)>,
        count: u64,
    ) -> Result<Vec<TaskRecord>> {
        let mut select = Self::wanted(scope, wanted).limit(count + 1);
        // Ordered by the gateway's clock: the server's dates have no fractions of a second.
        if let Some((created, id)) = after {
            let created = Timestamp::from_millis(created);
            let tie = Condition::all()
                .add(task::Column::CreatedAt.eq(created))
                .add(task::Column::Id.lt(id));
            select =
                select.filter(Condition::any().add(task::Column::CreatedAt.lt(created)).add(tie));
        }
        let select = select.order_by_desc(task::Column::CreatedAt).order_by_desc(task::Column::Id);
        Ok(select.all(self.database.reader()).await?)
    }

    /// The number of tasks of the scope's tenant and of those below it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn count(&self, scope: &TenantScope, wanted: TaskQuery) -> Result<u64> {
        Ok(Self::wanted(scope, wanted).count(self.database.reader()).await?)
    }

    fn wanted(scope: &TenantScope, wanted: TaskQuery) -> Select<task::Entity> {
        let mut select = task::Entity::of_tenant(scope);
        select = match wanted.state {
            StateFilter::Any => select,
            StateFilter::Is(state) => select.filter(task::Column::State.eq(state)),
            StateFilter::Unlisted => {
                select.filter(task::Column::State.is_not_in(NAMED.iter().map(TaskState::as_str)))
            }
        };
        if let Some(kind) = wanted.kind {
            let fitting =
                Purpose::ALL.into_iter().filter(|purpose| purpose.kind().as_str() == kind);
            select = select.filter(task::Column::Kind.is_in(fitting.map(Purpose::as_str)));
        }
        if let Some(from) = wanted.created_from {
            select = select.filter(task::Column::StartedAt.gte(from));
        }
        select
    }

    /// Those of the server's tasks that already have a record.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn recorded(
        &self,
        upstream: UpstreamId,
        remote: Vec<String>,
    ) -> Result<HashSet<String>> {
        let mut claimed = HashSet::new();
        for some in remote.chunks(BIND_MAX) {
            let found = task::Entity::recorded(upstream, some).all(self.database.reader()).await?;
            claimed.extend(found.into_iter().filter_map(|record| record.remote_task_id));
        }
        Ok(claimed)
    }

    /// The changes of a task after one of them, and whether no more will come.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn changes(&self, id: TaskId, after: i64) -> Result<(Vec<(i64, Snapshot)>, bool)> {
        // The record is read first: once it has ended, the history is complete.
        let record = task::Entity::watched(id).one(self.database.reader()).await?;
        let events = event::Entity::watched(id, after).all(self.database.reader()).await?;
        let events = events
            .into_iter()
            .map(|event| Ok((event.sequence, Snapshot::from_json(&event.snapshot)?)));
        let ended = record.is_none_or(|record| record.has_ended());
        Ok((events.collect::<Result<_>>()?, ended))
    }
}
