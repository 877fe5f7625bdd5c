//! How a task is found whose answer was lost: by looking, never by sending again (reference,
//! section 6).

use std::time::Duration;

use super::Tasks;
use super::model::{Intent, Made, Purpose, Record, Snapshot, StoredTenant};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::integration_server::client::{Client, FaultKind};
use crate::integration_server::model::{
    Moment, Outcome, RemoteId, RemoteTenant, Task, TaskFilter, TaskState, TenantStatus,
};
use crate::outbound::Operation;

/// How far the server's clock may be from ours.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// How many reports are looked into to recognise one.
const REPORTS: usize = 5;

/// What a look shows.
pub enum Sight {
    /// It is this task, beyond doubt.
    Found(Box<Task>),
    /// What was to be done is done, and no one task can be said to have done it.
    Done(Box<Made>),
    /// A task that is still at work may be the one.
    Perhaps,
    /// Nothing of it is to be seen.
    Nothing,
}

/// Looks for one task.
pub struct Looker<'a> {
    /// The records, to know which tasks are spoken for.
    pub tasks: &'a Tasks,
    /// The way to the server.
    pub client: &'a Client,
    /// Where the calls are counted.
    pub operation: &'a Operation,
    /// What is looked for.
    pub record: &'a Record,
}

impl Looker<'_> {
    /// Looks once. A task is taken for the one only if what it did is what was asked for: somebody
    /// else's may run at the same time.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn look(&self) -> Result<Sight> {
        let purpose = Purpose::of(self.record)?;
        let intent = Intent::read(&self.record.intent)?;
        let candidates = self.candidates(purpose).await?;
        let (ended, at_work): (Vec<Task>, Vec<Task>) =
            candidates.into_iter().partition(|task| task.state.has_ended());
        let completed: Vec<Task> =
            ended.into_iter().filter(|task| task.state == TaskState::Completed).collect();
        let sight = match purpose {
            Purpose::Create => {
                self.look_for_new_tenant(&intent, completed, at_work.is_empty()).await?
            }
            Purpose::Activate => {
                self.look_for_status(&intent, true, completed, at_work.is_empty()).await?
            }
            Purpose::Deactivate => {
                self.look_for_status(&intent, false, completed, at_work.is_empty()).await?
            }
            Purpose::Delete => {
                self.look_for_removed(intent.before, completed, at_work.is_empty()).await?
            }
            Purpose::Report => self.look_for_report(completed).await?,
        };
        Ok(match sight {
            Sight::Nothing if !at_work.is_empty() => Sight::Perhaps,
            sight => sight,
        })
    }

    /// The server's tasks of that kind, not older than the record and not spoken for.
    async fn candidates(&self, purpose: Purpose) -> Result<Vec<Task>> {
        let skew = i64::try_from(SKEW.as_millis()).unwrap_or(i64::MAX);
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
        let claimed = self.tasks.claimed(self.record.upstream_id, keys).await?;
        tasks.retain(|task| !claimed.contains(&task.id.canonical()));
        Ok(tasks)
    }

    async fn look_for_new_tenant(
        &self,
        intent: &Intent,
        completed: Vec<Task>,
        none_at_work: bool,
    ) -> Result<Sight> {
        for task in completed {
            let made = match &task.outcome {
                Some(Outcome::Tenant(tenant)) => Some(tenant.id.clone()),
                Some(Outcome::Id(id)) => Some(id.clone()),
                _ => None,
            };
            let Some(made) = made else { continue };
            if self.tenant(&made).await?.is_some_and(|tenant| intent.is_met_by(&tenant)) {
                return Ok(Sight::Found(Box::new(task)));
            }
        }
        // While a task runs its tenant may be listed and vanish again.
        if !none_at_work {
            return Ok(Sight::Nothing);
        }
        let tenants = self.client.tenants(self.operation).await?;
        let made = tenants.iter().find(|tenant| intent.is_met_by(tenant));
        Ok(made.map_or(Sight::Nothing, |tenant| Sight::Done(Box::new(Made::Tenant(tenant.into())))))
    }

    async fn look_for_status(
        &self,
        intent: &Intent,
        active: bool,
        completed: Vec<Task>,
        none_at_work: bool,
    ) -> Result<Sight> {
        let wanted = if active { TenantStatus::Active } else { TenantStatus::Inactive };
        let tenant = self.tenant(&self.remote()?).await?;
        if !none_at_work || tenant.and_then(|tenant| tenant.status) != Some(wanted) {
            return Ok(Sight::Nothing);
        }
        let changed = intent.before.as_ref().is_some_and(|before| before.was_active() != active);
        Ok(match <[Task; 1]>::try_from(completed) {
            Ok([only]) if changed => Sight::Found(Box::new(only)),
            _ => Sight::Done(Box::new(Made::Confirmation)),
        })
    }

    async fn look_for_removed(
        &self,
        before: Option<StoredTenant>,
        completed: Vec<Task>,
        none_at_work: bool,
    ) -> Result<Sight> {
        let remote = self.remote()?;
        let is_it = |task: &Task| match &task.outcome {
            Some(Outcome::Tenant(tenant)) => tenant.id == remote,
            Some(Outcome::Id(id)) => *id == remote,
            _ => false,
        };
        if let Some(task) = completed.into_iter().find(is_it) {
            return Ok(Sight::Found(Box::new(task)));
        }
        let is_gone = none_at_work && self.tenant(&remote).await?.is_none();
        Ok(before
            .filter(|_| is_gone)
            .map_or(Sight::Nothing, |before| Sight::Done(Box::new(Made::Tenant(before)))))
    }

    /// A report is known by its lines: all of them are about the tenant.
    async fn look_for_report(&self, completed: Vec<Task>) -> Result<Sight> {
        let remote = self.remote()?;
        for task in completed.into_iter().take(REPORTS) {
            let Some(Outcome::Id(id)) = &task.outcome else { continue };
            let report = match self.client.report(self.operation, id, &remote).await {
                Err(fault) if fault.kind() == FaultKind::ReportNotFound => continue,
                report => report?,
            };
            if !report.periods.is_empty()
                && report.foreign_lines == 0
                && report.unreadable_lines.is_empty()
            {
                return Ok(Sight::Found(Box::new(task)));
            }
        }
        Ok(Sight::Nothing)
    }

    async fn tenant(&self, id: &RemoteId) -> Result<Option<RemoteTenant>> {
        match self.client.tenant(self.operation, id).await {
            Ok(tenant) => Ok(Some(tenant)),
            Err(fault) if fault.kind() == FaultKind::TenantNotFound => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    fn remote(&self) -> Result<RemoteId> {
        let id = self.record.remote_tenant_id.as_deref().and_then(RemoteId::read);
        id.ok_or_else(|| Error::internal("a record of a task about a tenant names none"))
    }
}

/// What a completed task made, so far as it has to be looked up.
///
/// # Errors
/// If the server cannot be asked.
pub async fn made(
    client: &Client,
    operation: &Operation,
    record: &Record,
    task: &Task,
) -> Result<Option<Made>> {
    let purpose = Purpose::of(record)?;
    let told = Made::by(purpose, task.outcome.as_ref());
    Ok(match purpose {
        // The server tells it of a removed tenant in several ways, or not at all.
        Purpose::Delete => Intent::read(&record.intent)?.before.map(Made::Tenant),
        Purpose::Create => {
            let id = match &task.outcome {
                Some(Outcome::Tenant(tenant)) => &tenant.id,
                Some(Outcome::Id(id)) => id,
                _ => return Ok(None),
            };
            match client.tenant(operation, id).await {
                Ok(tenant) => Some(Made::Tenant((&tenant).into())),
                Err(fault) if fault.kind() == FaultKind::TenantNotFound => told,
                Err(fault) => return Err(fault.into()),
            }
        }
        Purpose::Activate | Purpose::Deactivate | Purpose::Report => told,
    })
}

/// A task as it is to be shown: with what it made.
///
/// # Errors
/// As [`made`].
pub async fn shown(
    client: &Client,
    operation: &Operation,
    record: &Record,
    task: &Task,
) -> Result<Snapshot> {
    let mut snapshot = Snapshot::of(task);
    if task.state == TaskState::Completed {
        snapshot.result = made(client, operation, record, task).await?;
    }
    Ok(snapshot)
}
