//! The stored parts of a task: purpose, phase, intent and snapshots.

mod intent;
mod snapshot;

use crate::ids::{TenantId, UpstreamId};
use crate::integration_server::model::TaskKind;

pub use intent::Intent;
pub use snapshot::{CreatedObject, Snapshot, StoredTenant, TaskErrorText};

/// The purpose of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To make a tenant.
    Create,
    /// To activate one.
    Activate,
    /// To deactivate one.
    Deactivate,
    /// To remove one.
    Delete,
    /// To make a report about one.
    Report,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Create, Self::Activate, Self::Deactivate, Self::Delete, Self::Report];

    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Activate => "ACTIVATE",
            Self::Deactivate => "DEACTIVATE",
            Self::Delete => "DELETE",
            Self::Report => "REPORT",
        }
    }

    /// The server's name for tasks of this purpose.
    pub const fn kind(self) -> TaskKind {
        match self {
            Self::Create => TaskKind::CreateTenant,
            Self::Activate | Self::Deactivate => TaskKind::ChangeTenantActivation,
            Self::Delete => TaskKind::DeleteTenant,
            Self::Report => TaskKind::CreateTenantReport,
        }
    }

    /// The mutation that begins one, as the audit log names it.
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Create => "createIntegrationServerTenant",
            Self::Activate => "activateIntegrationServerTenant",
            Self::Deactivate => "deactivateIntegrationServerTenant",
            Self::Delete => "deleteIntegrationServerTenant",
            Self::Report => "createIntegrationServerReport",
        }
    }
}

/// How much the gateway knows of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The call may have been sent; no answer is recorded.
    Sent,
    /// The server's identifier is known.
    Known,
    /// The answer was lost or named no task; the gateway looks for it.
    Lost,
    /// The task has ended, or the gateway no longer follows it.
    Ended,
}

impl Phase {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Known => "KNOWN",
            Self::Lost => "LOST",
            Self::Ended => "ENDED",
        }
    }
}

/// A task to be recorded before its call is sent.
pub struct NewTask {
    /// The upstream.
    pub upstream: UpstreamId,
    /// The purpose.
    pub purpose: Purpose,
    /// The tenant there that it is about, if there is one already.
    pub remote_tenant: Option<String>,
    /// The gateway tenant to link the new tenant to.
    pub link: Option<TenantId>,
    /// The requested change.
    pub intent: Intent,
}

/// Filters for a list of tasks; a task must pass all of them.
#[derive(Clone, Default)]
pub struct TaskQuery {
    /// By state.
    pub state: StateFilter,
    /// By the server's name of the task type.
    pub kind: Option<String>,
    /// Created at this moment or later.
    pub created_from: Option<crate::clock::Timestamp>,
}

/// A filter by state.
#[derive(Clone, Copy, Default)]
pub enum StateFilter {
    /// Every state.
    #[default]
    Any,
    /// This state, as records store it.
    Is(&'static str),
    /// States that the vendor's documents do not list.
    Unlisted,
}
