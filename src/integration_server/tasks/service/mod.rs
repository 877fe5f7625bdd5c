//! Records of tasks in the database.

mod change;
mod figures;
mod lease;
mod list;
mod retention;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{EntityTrait, IntoActiveModel, QuerySelect};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::entity::task;
use super::history::HistoryReaders;
use super::model::{NewTask, Phase};
use super::record::TaskRecord;
use crate::audit::{self, Entry};
use crate::auth::TenantScope;
use crate::clock::Clock;
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::{TaskId, random_uuid};
use crate::upstreams::Upstreams;

pub use change::{EndReason, TaskEnd};
pub use figures::{TaskFigures, figures};
pub use lease::{ClaimedTask, LEASE};

const WHAT: &str = "task";

/// Identifiers in one statement. SQLite allows 32,766 parameters.
const BIND_MAX: usize = 1000;

/// The most tasks of one tenant at a time: each costs calls until it ends.
const ACTIVE_TASKS_MAX: u64 = 1000;

/// How often and how long the gateway polls a task.
#[derive(Clone, Copy, Debug)]
pub struct PollSettings {
    /// The pause after the first poll of a task and after each poll that found a change.
    pub poll_min: Duration,
    /// The longest pause between two polls.
    pub poll_max: Duration,
    /// How long the gateway follows a task at most.
    pub deadline: Duration,
}

/// The tasks in a database.
pub struct Tasks {
    database: Arc<Database>,
    upstreams: Arc<Upstreams>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// How they are followed.
    pub poll_settings: PollSettings,
    /// The histories that subscribers on this node read.
    pub readers: HistoryReaders,
    /// Wakes the poller when a task can be claimed.
    pub wake: Notify,
    node: Uuid,
    claims: lease::ClaimSet,
}

impl Tasks {
    /// The tasks in that database. The node's leases carry a random name of its own.
    pub fn new(
        database: Arc<Database>,
        upstreams: Arc<Upstreams>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        poll_settings: PollSettings,
    ) -> Self {
        let node = random_uuid(&*entropy);
        Self {
            database,
            upstreams,
            clock,
            entropy,
            poll_settings,
            readers: HistoryReaders::default(),
            wake: Notify::new(),
            node,
            claims: lease::ClaimSet::default(),
        }
    }

    /// Creates the record of a task before its call is sent, with its caller, and claims it for
    /// this node.
    ///
    /// # Errors
    /// `CONFLICT` while the tenant has 1,000 unfinished tasks, and if the database fails. The call
    /// must not be sent then.
    pub async fn begin(&self, scope: &TenantScope, new: NewTask) -> Result<ClaimedTask> {
        let id = TaskId::random(&*self.entropy);
        let now = scope.now();
        let intent = new.intent.to_json();
        let claim = self.claims.add(id);
        let record = TaskRecord {
            id,
            tenant_id: scope.tenant(),
            upstream_id: new.upstream,
            kind: new.purpose.as_str().to_owned(),
            remote_tenant_id: new.remote_tenant,
            link_tenant_id: new.link,
            intent: intent.to_string(),
            caller: scope.caller().name(),
            request_id: scope.request_id().own().to_owned(),
            phase: Phase::Sent.as_str().to_owned(),
            remote_task_id: None,
            state: None,
            result_id: None,
            snapshot: None,
            sequence: 0,
            started_at: now,
            deadline_at: now.plus(self.poll_settings.deadline),
            lease_owner: Some(self.node),
            // The transaction sets it, by the database's clock.
            lease_until: now,
            created_at: now,
            ended_at: None,
        };
        let entry = Entry {
            operation: new.purpose.operation(),
            tenant: scope.tenant(),
            subject: id.to_string(),
            before: None,
            after: Some(intent),
        };
        let work = |write| self.begin_in(write, scope, &record, &entry);
        let (asked, record) = self.database.transaction(work).await?;
        claim.set_lease(asked);
        Ok(ClaimedTask { record, _claim: claim })
    }

    /// Stores the record with a lease, which lasts at least [`LEASE`] from the returned moment on.
    async fn begin_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        record: &TaskRecord,
        entry: &Entry,
    ) -> Result<(Instant, TaskRecord)> {
        let asked = Instant::now();
        let record = TaskRecord { lease_until: write.now().await?.plus(LEASE), ..record.clone() };
        let others =
            task::Entity::active(scope, record.created_at.minus(self.poll_settings.deadline));
        if others.offset(ACTIVE_TASKS_MAX - 1).one(write.on()).await?.is_some() {
            return Err(Error::conflict(
                "the tenant has 1,000 unfinished tasks; wait until some have ended",
            ));
        }
        task::Entity::insert(record.clone().into_active_model())
            .exec_without_returning(write.on())
            .await?;
        audit::begin(write.on(), &*self.entropy, scope, entry.clone()).await?;
        Ok((asked, record))
    }
}

#[cfg(test)]
mod tests;
