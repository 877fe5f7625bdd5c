//! Tasks in the graph.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object, SimpleObject, Union};

use super::objects::{IntegrationServerConfirmation, ReportObject, TenantObject};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::graph::graphql::DateTime;
use crate::ids::{TaskId, UpstreamId};
use crate::integration_server::model::TaskState;
use crate::integration_server::tasks::model::{
    CreatedObject, Purpose, Snapshot, TaskErrorText, TaskRecord,
};

/// The state of a task. COMPLETED, FAILED and CANCELED are its ends.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerTaskState {
    /// Made, not started.
    Created,
    /// Waits to run.
    Queued,
    /// Is being started.
    Starting,
    /// At work.
    Running,
    /// On the way to an end, for instance after it was canceled.
    Stopping,
    /// Ended well: there is a result.
    Completed,
    /// Ended badly: there is an error.
    Failed,
    /// Ended by a person or by the system.
    Canceled,
    /// Something else, which is not taken for an end; `stateText` says what.
    Unknown,
}

impl IntegrationServerTaskState {
    fn of(state: &TaskState) -> Self {
        match state {
            TaskState::Created => Self::Created,
            TaskState::Queued => Self::Queued,
            TaskState::Starting => Self::Starting,
            TaskState::Running => Self::Running,
            TaskState::Stopping => Self::Stopping,
            TaskState::Completed => Self::Completed,
            TaskState::Failed => Self::Failed,
            TaskState::Canceled => Self::Canceled,
            TaskState::Unknown(_) => Self::Unknown,
        }
    }

    /// The state as records have it; none for those that have no name.
    pub fn stored(self) -> Option<&'static str> {
        Some(match self {
            Self::Created => "Created",
            Self::Queued => "Queued",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::Unknown => return None,
        })
    }
}

/// The vendor's code of why a task failed.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerErrorCode {
    /// Something needed, such as the name, was not given.
    #[graphql(name = "VIRMT_MandatoryParameterIsNotSpecified")]
    MandatoryParameterIsNotSpecified,
    /// No such type of tenant.
    #[graphql(name = "VIRMT_InvalidTenantType")]
    InvalidTenantType,
    /// A complete tenant needs an administrator's name and password.
    #[graphql(name = "VIRMT_VKscCredentialsNotSpecified")]
    VKscCredentialsNotSpecified,
    /// The preferred address is no IP address.
    #[graphql(name = "VIRMT_InvalidViisAddressFormat")]
    InvalidViisAddressFormat,
    /// No such tenant.
    #[graphql(name = "VIRMT_TenantWithSpecifiedIdNotFound")]
    TenantWithSpecifiedIdNotFound,
    /// No such machine.
    #[graphql(name = "VIRMT_VmWithSpecifiedIdNotFound")]
    VmWithSpecifiedIdNotFound,
    /// No machine can be registered under the BIOS identifier.
    #[graphql(name = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists")]
    VmWithSpecifiedBiosIdAlreadyExists,
    /// No tenant can be made under the name.
    #[graphql(name = "VIRMT_TenantWithSpecifiedNameAlreadyExists")]
    TenantWithSpecifiedNameAlreadyExists,
    /// Security Center can make no folder of the name.
    #[graphql(name = "VIRMT_TenantGroupAlreadyExists")]
    TenantGroupAlreadyExists,
    /// Security Center can make no account of the name.
    #[graphql(name = "VIRMT_UserWithSpecifiedNameAlreadyExists")]
    UserWithSpecifiedNameAlreadyExists,
    /// The administrator's password does not comply with Security Center's policy.
    #[graphql(name = "VIRMT_PasswordNotComplyPolicy")]
    PasswordNotComplyPolicy,
    /// The server has no connection to Security Center: its operator must set one up.
    #[graphql(name = "KSC_ServiceNotConfigured")]
    ServiceNotConfigured,
    /// A code that no document lists, or none.
    #[graphql(name = "UNKNOWN")]
    Unknown,
}

impl IntegrationServerErrorCode {
    fn read(text: &str) -> Self {
        use async_graphql::resolver_utils::EnumType;
        let known = Self::items().iter().find(|item| item.name == text);
        known.map_or(Self::Unknown, |item| item.value)
    }
}

/// Why a task did not succeed, or not wholly.
#[derive(SimpleObject)]
pub struct IntegrationServerTaskError {
    /// The vendor's code; null where the vendor gives no reason: the task was canceled, or it
    /// completed and what the gateway was to do after it failed.
    code: Option<IntegrationServerErrorCode>,
    /// A sentence for people.
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

/// What a task made.
#[derive(Union)]
pub enum IntegrationServerTaskResult {
    /// The tenant that was made or removed.
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
        let text = record
            .snapshot
            .as_deref()
            .ok_or_else(|| Error::internal("a task that is shown was never seen"))?;
        Ok(Self::new(record, Arc::new(Snapshot::read(text)?), Purpose::of(record)?, scope))
    }

    fn moment(millis: Option<i64>) -> Option<DateTime> {
        millis.and_then(Timestamp::checked_from_millis).map(DateTime)
    }

    fn date(millis: Option<i64>) -> Option<String> {
        millis.map(|millis| Timestamp::from_millis(millis).to_string())
    }
}

/// Work that an Integration Server does after it has answered, begun through this gateway. It is
/// followed to its end, whether anybody watches or not, for at most `upstream.task_deadline`. A
/// tenant has at most 1,000 under way; CONFLICT for more.
#[Object(name = "IntegrationServerTask")]
impl TaskObject {
    /// The id; opaque, and unique over all Integration Servers.
    pub async fn id(&self) -> ID {
        self.id.to_string().into()
    }

    /// The vendor's id of the task, which other servers may use for tasks of their own. Null where
    /// the server's answer was lost and what was to be done was then found done.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> Option<ID> {
        self.snapshot.remote_id(self.id).map(ID)
    }

    /// What it does, in the server's word: `CreateTenant`, `ChangeTenantActivation`,
    /// `DeleteTenant`, `CreateTenantReport`.
    #[graphql(name = "type")]
    async fn kind(&self) -> String {
        self.purpose.kind().as_str().to_owned()
    }

    /// The state.
    async fn state(&self) -> IntegrationServerTaskState {
        IntegrationServerTaskState::of(&self.snapshot.state())
    }

    /// The state in the server's word.
    async fn state_text(&self) -> &str {
        &self.snapshot.state
    }

    /// What it does at the moment, in the server's words, for people.
    async fn stage(&self) -> Option<&str> {
        self.snapshot.stage.as_deref()
    }

    /// How much is done, in percent from 0 to 100; null if unknown. It may fall back.
    async fn progress(&self) -> Option<i32> {
        self.snapshot.progress.map(i32::from)
    }

    /// When it was made, by the server's clock.
    async fn created_at(&self) -> Option<DateTime> {
        Self::moment(self.snapshot.created)
    }

    /// When it was made, by the server's clock, in RFC 3339.
    #[graphql(deprecation = "use createdAt; offered until 2027-12-31")]
    async fn created(&self) -> Option<String> {
        Self::date(self.snapshot.created)
    }

    /// When its state last changed, by the server's clock.
    async fn state_changed_at(&self) -> Option<DateTime> {
        Self::moment(self.snapshot.state_changed)
    }

    /// When its state last changed, by the server's clock, in RFC 3339.
    #[graphql(deprecation = "use stateChangedAt; offered until 2027-12-31")]
    async fn state_changed(&self) -> Option<String> {
        Self::date(self.snapshot.state_changed)
    }

    /// When anything of it last changed, by the server's clock.
    async fn changed_at(&self) -> Option<DateTime> {
        Self::moment(self.snapshot.changed)
    }

    /// When anything of it last changed, by the server's clock, in RFC 3339.
    #[graphql(deprecation = "use changedAt; offered until 2027-12-31")]
    async fn changed(&self) -> Option<String> {
        Self::date(self.snapshot.changed)
    }

    /// Why it did not succeed, or not wholly.
    async fn error(&self) -> Option<IntegrationServerTaskError> {
        self.snapshot.error.clone().map(IntegrationServerTaskError::from)
    }

    /// What it made; null before the end.
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
