//! Tasks in the graph.

use std::sync::Arc;

use async_graphql::{ID, Object, SimpleObject, Union};

use super::report::{IntegrationServerConfirmation, ReportObject};
use super::task_kinds::{
    IntegrationServerErrorCode, IntegrationServerTaskState, IntegrationServerTaskType,
};
use super::tenant::TenantObject;
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::graph::graphql::DateTime;
use crate::ids::{TaskId, UpstreamId};
use crate::integration_server::tasks::TaskRecord;
use crate::integration_server::tasks::model::{CreatedObject, Purpose, Snapshot, TaskErrorText};

/// Why a task did not succeed, or only in part.
#[derive(SimpleObject)]
pub struct IntegrationServerTaskError {
    /// The vendor's code; null if the task was canceled, or completed but a later step of the
    /// gateway failed.
    code: Option<IntegrationServerErrorCode>,
    /// A human-readable message.
    message: String,
}

impl From<TaskErrorText> for IntegrationServerTaskError {
    fn from(told: TaskErrorText) -> Self {
        Self {
            code: told.code.as_deref().map(IntegrationServerErrorCode::read),
            message: told.message,
        }
    }
}

/// The result of a task.
#[derive(Union)]
pub enum IntegrationServerTaskResult {
    /// The tenant that was created or removed.
    Tenant(TenantObject),
    /// A report.
    Report(ReportObject),
    /// The tenant was activated or deactivated.
    Confirmation(IntegrationServerConfirmation),
}

/// A task, in the graph.
pub struct TaskObject {
    id: TaskId,
    snapshot: Arc<Snapshot>,
    purpose: Purpose,
    upstream: UpstreamId,
    scope: TenantScope,
}

impl TaskObject {
    /// The task of a record, in its last known state.
    pub fn new(
        record: &TaskRecord,
        snapshot: Arc<Snapshot>,
        purpose: Purpose,
        scope: &TenantScope,
    ) -> Self {
        Self {
            id: record.id,
            snapshot,
            purpose,
            upstream: record.upstream_id,
            scope: scope.clone(),
        }
    }

    /// The task of a record that the scope may see.
    ///
    /// # Errors
    /// If the record holds none.
    pub fn of(record: &TaskRecord, scope: &TenantScope) -> Result<Self> {
        let snapshot = record.last_snapshot()?;
        let snapshot = snapshot.ok_or_else(|| Error::internal("a visible task has no snapshot"))?;
        Ok(Self::new(record, Arc::new(snapshot), record.purpose()?, scope))
    }

    fn moment(millis: Option<i64>) -> Option<DateTime> {
        millis.and_then(Timestamp::checked_from_millis).map(DateTime)
    }

    fn date(millis: Option<i64>) -> Option<String> {
        millis.map(|millis| Timestamp::from_millis(millis).to_string())
    }
}

/// An asynchronous task of an Integration Server that was started through the gateway. The gateway
/// polls it until it ends, for at most `upstream.task_deadline`. A tenant can have 1,000 running
/// tasks; CONFLICT for more.
#[Object(name = "IntegrationServerTask")]
impl TaskObject {
    /// The global id. Opaque; unique across all Integration Servers.
    pub async fn id(&self) -> ID {
        self.id.to_string().into()
    }

    /// The vendor's id of the task; unique only on its server. Null if the server's response was
    /// lost and the change was then found to be done.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> Option<ID> {
        self.snapshot.remote_id(self.id).map(ID)
    }

    /// The type.
    #[graphql(name = "type")]
    async fn kind(&self) -> IntegrationServerTaskType {
        IntegrationServerTaskType::of(&self.purpose.kind())
    }

    /// The type as the server spells it.
    #[graphql(name = "typeText")]
    async fn kind_text(&self) -> String {
        self.purpose.kind().as_str().to_owned()
    }

    /// The state.
    async fn state(&self) -> IntegrationServerTaskState {
        IntegrationServerTaskState::of(&self.snapshot.state())
    }

    /// The state as the server spells it.
    async fn state_text(&self) -> &str {
        &self.snapshot.state
    }

    /// A human-readable description of the current step, by the server.
    async fn stage(&self) -> Option<&str> {
        self.snapshot.stage.as_deref()
    }

    /// The progress in percent, 0 to 100; null if unknown. It can decrease.
    async fn progress(&self) -> Option<i32> {
        self.snapshot.progress.map(i32::from)
    }

    /// When the task was created, by the server's clock.
    async fn created_at(&self) -> Option<DateTime> {
        Self::moment(self.snapshot.created)
    }

    /// When the task was created, by the server's clock, in RFC 3339.
    #[graphql(deprecation = "use createdAt; offered until 2027-12-31")]
    async fn created(&self) -> Option<String> {
        Self::date(self.snapshot.created)
    }

    /// When the state last changed, by the server's clock.
    async fn state_changed_at(&self) -> Option<DateTime> {
        Self::moment(self.snapshot.state_changed)
    }

    /// When the state last changed, by the server's clock, in RFC 3339.
    #[graphql(deprecation = "use stateChangedAt; offered until 2027-12-31")]
    async fn state_changed(&self) -> Option<String> {
        Self::date(self.snapshot.state_changed)
    }

    /// When the task last changed, by the server's clock.
    async fn changed_at(&self) -> Option<DateTime> {
        Self::moment(self.snapshot.changed)
    }

    /// When the task last changed, by the server's clock, in RFC 3339.
    #[graphql(deprecation = "use changedAt; offered until 2027-12-31")]
    async fn changed(&self) -> Option<String> {
        Self::date(self.snapshot.changed)
    }

    /// Why the task did not succeed, or only in part.
    async fn error(&self) -> Option<IntegrationServerTaskError> {
        self.snapshot.error.clone().map(IntegrationServerTaskError::from)
    }

    /// The result; null until the task has completed.
    async fn result(&self) -> Result<Option<IntegrationServerTaskResult>> {
        Ok(match self.snapshot.result.clone() {
            None => None,
            Some(CreatedObject::Tenant(tenant)) => {
                let tenant = TenantObject::new(self.upstream, tenant.tenant()?);
                Some(IntegrationServerTaskResult::Tenant(tenant))
            }
            Some(CreatedObject::Report(_)) => {
                let remote_id = self.snapshot.result_id().unwrap_or_default();
                let report = ReportObject { id: self.id, remote_id, scope: self.scope.clone() };
                Some(IntegrationServerTaskResult::Report(report))
            }
            Some(CreatedObject::Confirmation) => {
                Some(IntegrationServerTaskResult::Confirmation(IntegrationServerConfirmation {
                    confirmed: true,
                }))
            }
        })
    }
}
