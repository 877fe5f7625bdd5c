//! Tasks as the server reports them.

use super::{Moment, RemoteId, RemoteTenant, VendorCode};
use crate::clock::Timestamp;

/// A task (reference, K1). It does not name its tenant, so the gateway records that when it starts
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its identifier.
    pub id: RemoteId,
    /// The kind of work; absent if the server left it out.
    pub kind: Option<TaskKind>,
    /// The state of the task.
    pub state: TaskState,
    /// The current stage in the server's words, cut at 500 characters.
    pub stage: Option<String>,
    /// The progress in percent, from 0 to 100, rounded down. It may decrease.
    pub progress: Option<u8>,
    /// When it was made.
    pub created: Option<Moment>,
    /// When its state last changed.
    pub state_changed: Option<Moment>,
    /// When anything of it last changed.
    pub changed: Option<Moment>,
    /// The outcome; absent while there is neither a result nor an error.
    pub outcome: Option<TaskOutcome>,
}

/// The answer to an accepted call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// This task does it.
    Task(RemoteId),
    /// The answer names no task; only the list of tasks can show it.
    Unnamed,
}

/// The kind of work of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Makes a tenant.
    CreateTenant,
    /// Activates or deactivates a tenant.
    ChangeTenantActivation,
    /// Removes a tenant.
    DeleteTenant,
    /// Makes a report.
    CreateTenantReport,
    /// Something that no document lists.
    Other(String),
}

impl TaskKind {
    /// Reads a kind as the server writes it.
    pub fn read(text: &str) -> Self {
        match text {
            "CreateTenant" => Self::CreateTenant,
            "ChangeTenantActivation" => Self::ChangeTenantActivation,
            "DeleteTenant" => Self::DeleteTenant,
            "CreateTenantReport" => Self::CreateTenantReport,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The kind as the server writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::CreateTenant => "CreateTenant",
            Self::ChangeTenantActivation => "ChangeTenantActivation",
            Self::DeleteTenant => "DeleteTenant",
            Self::CreateTenantReport => "CreateTenantReport",
            Self::Other(text) => text,
        }
    }
}

/// The state of a task (reference, section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Made, not started.
    Created,
    /// Waits to run.
    Queued,
    /// Is being started.
    Starting,
    /// At work.
    Running,
    /// On the way to an end, for instance after it was cancelled.
    Stopping,
    /// Completed successfully.
    Completed,
    /// Ended badly.
    Failed,
    /// Ended by a person or by the system.
    Canceled,
    /// A word that no document lists; the task is not taken for ended.
    Unknown(String),
}

impl TaskState {
    /// Reads a state, whatever its letter case; both spellings of `Canceled`, and `Stopped`, which
    /// the documents name once.
    pub fn read(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "created" => Self::Created,
            "queued" => Self::Queued,
            "starting" => Self::Starting,
            "running" => Self::Running,
            "stopping" => Self::Stopping,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "canceled" | "cancelled" | "stopped" => Self::Canceled,
            _ => Self::Unknown(text.to_owned()),
        }
    }

    /// The state as the list of states writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "Created",
            Self::Queued => "Queued",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::Unknown(text) => text,
        }
    }

    /// Whether nothing more will happen.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }
}

/// The outcome of a task. The kind of the task determines which variant to expect; the document's
/// shape alone determines which one is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskOutcome {
    /// The tenant that was made or removed.
    Tenant(Box<RemoteTenant>),
    /// A bare identifier: of the tenant that was made or removed, or of the report.
    Id(RemoteId),
    /// `true`: the tenant was activated or deactivated.
    Confirmed,
    /// It did not succeed.
    Error(TaskError),
    /// There is a result, and no reading of it.
    Unreadable,
}

/// Why a task did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    /// The code in it, if there is one.
    pub code: Option<VendorCode>,
    /// The server's words, cut at 500 characters: for the log, not for callers.
    pub message: String,
}

/// The answer to a request to cancel a task. In either case the task may still end as completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// It is canceled.
    Done,
    /// It is on the way to its end.
    Underway,
}

/// A filter of tasks (reference, K2); all given conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Made then or later, to the second.
    pub created_from: Option<Timestamp>,
    /// In that state.
    pub state: Option<TaskState>,
    /// Doing that.
    pub kind: Option<TaskKind>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_state_has_ended_for_every_spelling_of_an_end_only() {
        for end in ["Completed", "FAILED", "canceled", "Cancelled", "Stopped"] {
            assert!(TaskState::read(end).has_ended(), "{end}");
        }
        for going in
            ["Created", "Queued", "Starting", "Running", "Stopping", "Paused", "", "Complete"]
        {
            assert!(!TaskState::read(going).has_ended(), "{going}");
        }
        assert_eq!(TaskState::read("Paused"), TaskState::Unknown("Paused".into()));
    }
}
