//! Finds a task whose answer was lost. The call is never sent again (reference, section 6).

use std::time::Duration;

use super::model::{CreatedObject, Intent, Purpose, StoredTenant};
use super::record::TaskRecord;
use super::service::Tasks;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::integration_server::client::{CallErrorKind, Client};
use crate::integration_server::model::{
    Moment, RemoteId, RemoteTenant, Task, TaskFilter, TaskOutcome, TaskState, TenantStatus,
};
use crate::outbound::Operation;

/// The most that the server's clock may differ from the gateway's.
const CLOCK_SKEW_MAX: Duration = Duration::from_hours(1);

/// The most reports that are downloaded to recognise one.
const REPORTS_READ_MAX: usize = 5;

/// The result of one reconciliation.
pub enum Match {
    /// This task, beyond doubt.
    Found(Box<Task>),
    /// The effect is there, but no single task can be identified as its cause.
    Done(Box<CreatedObject>),
    /// An unfinished task may be the one.
    Ambiguous,
    /// Neither a task nor its effect.
    NotFound,
}

/// Looks for the task of one record.
pub struct Reconciler<'a> {
    /// The records, to exclude tasks that have one.
    pub tasks: &'a Tasks,
    /// Calls the server.
    pub client: &'a Client,
    /// Counts the calls.
    pub operation: &'a Operation,
    /// The record whose task is missing.
    pub record: &'a TaskRecord,
}

impl Reconciler<'_> {
    /// Looks once. A task matches only if its effect is what the record asked for, because others
    /// may start tasks of the same kind at the same time.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn find_match(&self) -> Result<Match> {
        let purpose = self.record.purpose()?;
        let intent = Intent::from_json(&self.record.intent)?;
        let candidates = self.candidates(purpose).await?;
        let (ended, at_work): (Vec<Task>, Vec<Task>) =
            candidates.into_iter().partition(|task| task.state.has_ended());
        let completed: Vec<Task> =
            ended.into_iter().filter(|task| task.state == TaskState::Completed).collect();
        let found = match purpose {
            Purpose::Create => {
                self.match_created_tenant(&intent, completed, at_work.is_empty()).await?
            }
            Purpose::Activate => {
                self.match_activation(&intent, true, completed, at_work.is_empty()).await?
            }
            Purpose::Deactivate => {
                self.match_activation(&intent, false, completed, at_work.is_empty()).await?
            }
            Purpose::Delete => {
                self.match_deleted_tenant(intent.before, completed, at_work.is_empty()).await?
            }
            Purpose::Report => self.match_report(completed).await?,
        };
        Ok(match found {
            Match::NotFound if !at_work.is_empty() => Match::Ambiguous,
            found => found,
        })
    }

    /// The server's tasks of that kind that are not older than the record and have none of their
    /// own.
    async fn candidates(&self, purpose: Purpose) -> Result<Vec<Task>> {
        let skew = i64::try_from(CLOCK_SKEW_MAX.as_millis()).unwrap_or(i64::MAX);
        let from = Timestamp::from_millis(self.record.created_at.millis().saturating_sub(skew));
        let filter =
            TaskFilter { created_from: Some(from), state: None, kind: Some(purpose.kind()) };
        let mut tasks = self.client.tasks(self.operation, &filter).await?;
        let is_new = |task: &Task| {
            task.created.as_ref().and_then(Moment::at).is_none_or(|created| created >= from)
        };
        tasks.retain(|task| {
            task.kind.as_ref().is_none_or(|kind| *kind == purpose.kind()) && is_new(task)
        });
        let keys = tasks.iter().map(|task| task.id.canonical()).collect();
        let claimed = self.tasks.recorded(self.record.upstream_id, keys).await?;
        tasks.retain(|task| !claimed.contains(&task.id.canonical()));
        Ok(tasks)
    }

    async fn match_created_tenant(
        &self,
        intent: &Intent,
        completed: Vec<Task>,
        none_at_work: bool,
    ) -> Result<Match> {
        for task in completed {
            let made = match &task.outcome {
                Some(TaskOutcome::Tenant(tenant)) => Some(tenant.id.clone()),
                Some(TaskOutcome::Id(id)) => Some(id.clone()),
                _ => None,
            };
            let Some(made) = made else { continue };
            if self.tenant(&made).await?.is_some_and(|tenant| intent.is_met_by(&tenant)) {
                return Ok(Match::Found(Box::new(task)));
            }
        }
        // The server may list the tenant of a running task and remove it again.
        if !none_at_work {
            return Ok(Match::NotFound);
        }
        let tenants = self.client.tenants(self.operation).await?;
        let made = tenants.iter().find(|tenant| intent.is_met_by(tenant));
        Ok(made.map_or(Match::NotFound, |tenant| {
            Match::Done(Box::new(CreatedObject::Tenant(tenant.into())))
        }))
    }

    async fn match_activation(
        &self,
        intent: &Intent,
        active: bool,
        completed: Vec<Task>,
        none_at_work: bool,
    ) -> Result<Match> {
        let wanted = if active { TenantStatus::Active } else { TenantStatus::Inactive };
        let tenant = self.tenant(&self.remote()?).await?;
        if !none_at_work || tenant.and_then(|tenant| tenant.status) != Some(wanted) {
            return Ok(Match::NotFound);
        }
        let changed = intent.before.as_ref().is_some_and(|before| before.was_active() != active);
        Ok(match <[Task; 1]>::try_from(completed) {
            Ok([only]) if changed => Match::Found(Box::new(only)),
            _ => Match::Done(Box::new(CreatedObject::Confirmation)),
        })
    }

    async fn match_deleted_tenant(
        &self,
        before: Option<StoredTenant>,
        completed: Vec<Task>,
        none_at_work: bool,
    ) -> Result<Match> {
        let remote = self.remote()?;
        let is_it = |task: &Task| match &task.outcome {
            Some(TaskOutcome::Tenant(tenant)) => tenant.id == remote,
            Some(TaskOutcome::Id(id)) => *id == remote,
            _ => false,
        };
        if let Some(task) = completed.into_iter().find(is_it) {
            return Ok(Match::Found(Box::new(task)));
        }
        let is_gone = none_at_work && self.tenant(&remote).await?.is_none();
        Ok(before
            .filter(|_| is_gone)
            .map_or(Match::NotFound, |before| Match::Done(Box::new(CreatedObject::Tenant(before)))))
    }

    /// A report matches if all its lines are about the tenant.
    async fn match_report(&self, completed: Vec<Task>) -> Result<Match> {
        let remote = self.remote()?;
        for task in completed.into_iter().take(REPORTS_READ_MAX) {
            let Some(TaskOutcome::Id(id)) = &task.outcome else { continue };
            let report = match self.client.report(self.operation, id, &remote).await {
                Err(error) if error.kind() == CallErrorKind::ReportNotFound => continue,
                report => report?,
            };
            if !report.periods.is_empty()
                && report.foreign_lines == 0
                && report.unreadable_lines.is_empty()
            {
                return Ok(Match::Found(Box::new(task)));
            }
        }
        Ok(Match::NotFound)
    }

    async fn tenant(&self, id: &RemoteId) -> Result<Option<RemoteTenant>> {
        match self.client.tenant(self.operation, id).await {
            Ok(tenant) => Ok(Some(tenant)),
            Err(error) if error.kind() == CallErrorKind::TenantNotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn remote(&self) -> Result<RemoteId> {
        let id = self.record.remote_tenant_id.as_deref().and_then(RemoteId::read);
        id.ok_or_else(|| Error::internal("the record of a task names no tenant"))
    }
}
