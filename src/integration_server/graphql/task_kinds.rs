//! Enums of tasks.

use async_graphql::Enum;

use crate::integration_server::model::{TaskKind, TaskState};
use crate::integration_server::tasks::model::StateFilter;

/// The state of a task. COMPLETED, FAILED and CANCELED are final.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerTaskState {
    /// Created, not started.
    Created,
    /// Waiting to run.
    Queued,
    /// Starting.
    Starting,
    /// Running.
    Running,
    /// Stopping, for instance after it was canceled.
    Stopping,
    /// Completed successfully: `result` is set.
    Completed,
    /// Failed: `error` is set.
    Failed,
    /// Canceled by a user or by the server.
    Canceled,
    /// A state that this version of the gateway does not know, not regarded as final; `stateText`
    /// has it.
    Unknown,
}

impl IntegrationServerTaskState {
    pub(super) fn of(state: &TaskState) -> Self {
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

    /// The filter for tasks in this state.
    pub fn filter(self) -> StateFilter {
        StateFilter::Is(match self {
            Self::Created => "Created",
            Self::Queued => "Queued",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::Unknown => return StateFilter::Unlisted,
        })
    }
}

/// The type of a task.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerTaskType {
    /// Creates a tenant.
    #[graphql(name = "CreateTenant")]
    CreateTenant,
    /// Activates or deactivates a tenant.
    #[graphql(name = "ChangeTenantActivation")]
    ChangeTenantActivation,
    /// Deletes a tenant.
    #[graphql(name = "DeleteTenant")]
    DeleteTenant,
    /// Creates a report on the protection periods of a tenant's machines.
    #[graphql(name = "CreateTenantReport")]
    CreateTenantReport,
    /// A type that this version of the gateway does not know; `typeText` has it.
    #[graphql(name = "UNKNOWN")]
    Unknown,
}

impl IntegrationServerTaskType {
    pub(super) fn of(kind: &TaskKind) -> Self {
        match kind {
            TaskKind::CreateTenant => Self::CreateTenant,
            TaskKind::ChangeTenantActivation => Self::ChangeTenantActivation,
            TaskKind::DeleteTenant => Self::DeleteTenant,
            TaskKind::CreateTenantReport => Self::CreateTenantReport,
            TaskKind::Other(_) => Self::Unknown,
        }
    }
}

/// The vendor's code for the failure of a task.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerErrorCode {
    /// A required value, such as the name, is missing.
    #[graphql(name = "VIRMT_MandatoryParameterIsNotSpecified")]
    MandatoryParameterIsNotSpecified,
    /// The tenant type does not exist.
    #[graphql(name = "VIRMT_InvalidTenantType")]
    InvalidTenantType,
    /// A COMPLETE tenant requires an administrator's name and password.
    #[graphql(name = "VIRMT_VKscCredentialsNotSpecified")]
    VKscCredentialsNotSpecified,
    /// The preferred address is not an IP address.
    #[graphql(name = "VIRMT_InvalidViisAddressFormat")]
    InvalidViisAddressFormat,
    /// The tenant does not exist.
    #[graphql(name = "VIRMT_TenantWithSpecifiedIdNotFound")]
    TenantWithSpecifiedIdNotFound,
    /// The virtual machine does not exist.
    #[graphql(name = "VIRMT_VmWithSpecifiedIdNotFound")]
    VmWithSpecifiedIdNotFound,
    /// The BIOS identifier is taken.
    #[graphql(name = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists")]
    VmWithSpecifiedBiosIdAlreadyExists,
    /// The tenant's name is taken.
    #[graphql(name = "VIRMT_TenantWithSpecifiedNameAlreadyExists")]
    TenantWithSpecifiedNameAlreadyExists,
    /// Security Center cannot create a group with this name.
    #[graphql(name = "VIRMT_TenantGroupAlreadyExists")]
    TenantGroupAlreadyExists,
    /// Security Center cannot create an account with this name.
    #[graphql(name = "VIRMT_UserWithSpecifiedNameAlreadyExists")]
    UserWithSpecifiedNameAlreadyExists,
    /// The administrator's password does not comply with Security Center's policy.
    #[graphql(name = "VIRMT_PasswordNotComplyPolicy")]
    PasswordNotComplyPolicy,
    /// The server has no connection to Security Center: its operator must set one up.
    #[graphql(name = "KSC_ServiceNotConfigured")]
    ServiceNotConfigured,
    /// A code that this version of the gateway does not know, or none.
    #[graphql(name = "UNKNOWN")]
    Unknown,
}

impl IntegrationServerErrorCode {
    pub(super) fn read(text: &str) -> Self {
        use async_graphql::resolver_utils::EnumType;
        let known = Self::items().iter().find(|item| item.name == text);
        known.map_or(Self::Unknown, |item| item.value)
    }
}
